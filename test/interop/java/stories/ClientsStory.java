import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The producer, and the consumer that assigns itself its partitions. */
public class ClientsStory extends Story {
  private static final long FIRST_TIMESTAMP = 1_700_000_000_000L;
  private static final int RECORDS = 600;
  private static final int PARTITIONS = 3;

  @Override
  void tell() throws Exception {
    try (Admin admin = Admin.create(with())) {
      for (String compression : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
        String topic = "clients-" + compression;
        step("an idempotent producer writes, and a consumer reads, every field (" + compression + ")", () -> {
          create(admin, topic, PARTITIONS, Map.of());
          return map("written", write(topic, "compression.type", compression, "linger.ms", 20), "read", read(topic, PARTITIONS));
        });
      }
      step("records are recompressed as the topic says", () -> {
        create(admin, "clients-recompressed", PARTITIONS, Map.of("compression.type", "gzip"));
        return map("written", write("clients-recompressed", "compression.type", "lz4", "linger.ms", 20), "read", read("clients-recompressed", PARTITIONS));
      });
      producing(admin);
      refusals(admin);
      consuming();
    }
  }

  private void producing(Admin admin) {
    step("acks=1 and acks=0: where there is no answer there is no offset", () -> {
      create(admin, "clients-acks", 1, Map.of());
      try (KafkaProducer<byte[], byte[]> one = producer("acks", "1", "enable.idempotence", false); KafkaProducer<byte[], byte[]> zero = producer("acks", "0", "enable.idempotence", false)) {
        long first = one.send(record("clients-acks", 0, 0)).get().offset();
        long second = zero.send(record("clients-acks", 0, 1)).get().offset();
        long third = one.send(record("clients-acks", 0, 2)).get().offset();
        return List.of(first, second, third > 0);
      }
    });
    step("a batch of a megabyte, and a record that fills one", () -> {
      create(admin, "clients-large", 1, Map.of());
      try (KafkaProducer<byte[], byte[]> producer = producer("batch.size", 1_000_000, "linger.ms", 50, "max.request.size", 5_000_000)) {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = 0; i < 40; i++) sent.add(producer.send(sized("clients-large", 24_000)));
        for (Future<RecordMetadata> each : sent) each.get();
        return List.of(sent.get(39).get().offset(), producer.send(sized("clients-large", 1_048_000)).get().offset());
      }
    });
    step("a batch that the topic finds too large is split until it fits", () -> {
      create(admin, "clients-split", 1, Map.of("max.message.bytes", "10000"));
      try (KafkaProducer<byte[], byte[]> producer = producer("batch.size", 100_000, "linger.ms", 50)) {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = 0; i < 90; i++) sent.add(producer.send(sized("clients-split", 1_000)));
        List<Long> offsets = new ArrayList<>();
        for (Future<RecordMetadata> each : sent) offsets.add(each.get().offset());
        return map("inOrder", offsets.equals(IntStream.range(0, 90).mapToObj(i -> (long) i).collect(Collectors.toList())), "read", digest(records("clients-split", 1)));
      }
    });
    step("a topic that stamps records itself", () -> {
      create(admin, "clients-append-time", 1, Map.of("message.timestamp.type", "LogAppendTime"));
      long before = System.currentTimeMillis();
      try (KafkaProducer<byte[], byte[]> producer = producer()) {
        RecordMetadata metadata = producer.send(record("clients-append-time", 0, 0)).get();
        ConsumerRecord<byte[], byte[]> read = records("clients-append-time", 1).get(0);
        return map("now", metadata.timestamp() >= before && metadata.timestamp() <= System.currentTimeMillis(), "same", metadata.timestamp() == read.timestamp(), "type", read.timestampType().toString());
      }
    });
    step("two idempotent producers write by turns", () -> {
      create(admin, "clients-interleaved", 1, Map.of());
      try (KafkaProducer<byte[], byte[]> a = producer(); KafkaProducer<byte[], byte[]> b = producer()) {
        List<Long> offsets = new ArrayList<>();
        for (int i = 0; i < 6; i++) offsets.add((i % 2 == 0 ? a : b).send(record("clients-interleaved", 0, i)).get().offset());
        return offsets;
      }
    });
    step("partitionsFor tells of leaders, replicas and the in-sync", () -> {
      try (KafkaProducer<byte[], byte[]> producer = producer()) {
        return producer.partitionsFor("clients-none").stream().sorted(Comparator.comparingInt(info -> info.partition())).map(info -> List.of(info.partition(), info.leader().id(), info.replicas().length, info.inSyncReplicas().length, info.offlineReplicas().length)).collect(Collectors.toList());
      }
    });
    step("a topic that is written to is made", () -> {
      try (KafkaProducer<byte[], byte[]> producer = producer()) {
        RecordMetadata metadata = producer.send(new ProducerRecord<>("clients-made", bytes("key"), bytes("value"))).get();
        return List.of(metadata.partition(), metadata.offset(), producer.partitionsFor("clients-made").size());
      }
    });
  }

  private void refusals(Admin admin) {
    step("a record beyond max.message.bytes is refused, and the next one is not", () -> {
      create(admin, "clients-too-large", 1, Map.of());
      try (KafkaProducer<byte[], byte[]> producer = producer("max.request.size", 5_000_000)) {
        return List.of(thrown(() -> producer.send(sized("clients-too-large", 1_048_577)).get()), producer.send(sized("clients-too-large", 10)).get().offset());
      }
    });
    step("a keyless record on a compacted topic is refused, and its neighbours with it", () -> {
      create(admin, "clients-compacted", 1, Map.of("cleanup.policy", "compact"));
      try (KafkaProducer<byte[], byte[]> producer = producer("linger.ms", 100)) {
        Future<RecordMetadata> keyed = producer.send(new ProducerRecord<>("clients-compacted", 0, bytes("key"), bytes("1")));
        Future<RecordMetadata> keyless = producer.send(new ProducerRecord<>("clients-compacted", 0, null, bytes("2")));
        producer.flush();
        return map("keyed", thrown(keyed::get), "keyless", thrown(keyless::get), "next", thrown(() -> producer.send(new ProducerRecord<>("clients-compacted", 0, bytes("key"), bytes("3"))).get()), "read", values(records("clients-compacted", 1)));
      }
    });
    step("times too far from the broker's are refused", () -> {
      create(admin, "clients-times", 1, Map.of("message.timestamp.before.max.ms", "60000", "message.timestamp.after.max.ms", "60000"));
      long now = System.currentTimeMillis();
      try (KafkaProducer<byte[], byte[]> producer = producer()) {
        Map<String, Object> refused = new LinkedHashMap<>();
        for (long shift : new long[] {-120_000, -1_000, 0, 1_000, 120_000}) refused.put(String.valueOf(shift), thrown(() -> producer.send(new ProducerRecord<>("clients-times", 0, now + shift, bytes("key"), bytes("value"))).get()));
        create(admin, "clients-times-default", 1, Map.of());
        refused.put("a day ahead by default", thrown(() -> producer.send(new ProducerRecord<>("clients-times-default", 0, now + 86_400_000, bytes("key"), bytes("value"))).get()));
        refused.put("years back by default", thrown(() -> producer.send(new ProducerRecord<>("clients-times-default", 0, 1L, bytes("key"), bytes("value"))).get()));
        return refused;
      }
    });
    step("a name that no topic can have", () -> {
      try (KafkaProducer<byte[], byte[]> producer = producer("max.block.ms", 5_000); KafkaConsumer<byte[], byte[]> consumer = consumer()) {
        return map("producer", thrown(() -> producer.send(new ProducerRecord<>("no topic!", bytes("value"))).get()), "consumer", thrown(() -> consumer.partitionsFor("no topic!")));
      }
    });
    step("a topic or partition that is not there", () -> {
      try (KafkaProducer<byte[], byte[]> producer = producer("max.block.ms", 700); KafkaConsumer<byte[], byte[]> consumer = consumer("allow.auto.create.topics", false, "default.api.timeout.ms", 2_000, "request.timeout.ms", 1_500)) {
        return map(
            "partition", thrown(() -> producer.send(new ProducerRecord<>("clients-none", 99, null, bytes("value"))).get()),
            "partitionsFor", consumer.partitionsFor("clients-absent").size(),
            "endOffsets", thrown(() -> consumer.endOffsets(List.of(new TopicPartition("clients-absent", 0)), Duration.ofMillis(700))));
      }
    });
    step("too few in-sync replicas for acks=all, enough for acks=1", () -> {
      create(admin, "clients-min-insync", 1, Map.of("min.insync.replicas", "2"));
      try (KafkaProducer<byte[], byte[]> all = producer("acks", "all", "enable.idempotence", false, "retries", 0); KafkaProducer<byte[], byte[]> one = producer("acks", "1", "enable.idempotence", false)) {
        return map("all", thrown(() -> all.send(record("clients-min-insync", 0, 0)).get()), "one", thrown(() -> one.send(record("clients-min-insync", 0, 0)).get()));
      }
    });
  }

  private void consuming() {
    TopicPartition first = new TopicPartition("clients-none", 0);
    List<TopicPartition> all = partitions("clients-none", PARTITIONS);
    step("beginnings, ends, and offsets by time", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
        Map<String, Object> times = new LinkedHashMap<>();
        for (long time : new long[] {0, FIRST_TIMESTAMP, FIRST_TIMESTAMP + 1_500, FIRST_TIMESTAMP + RECORDS * 1_000L - 1_000, FIRST_TIMESTAMP + RECORDS * 1_000L}) {
          var found = consumer.offsetsForTimes(Map.of(first, time)).get(first);
          times.put(String.valueOf(time), found == null ? "none" : List.of(found.offset(), found.timestamp(), found.leaderEpoch().isPresent()));
        }
        return map("beginning", byName(consumer.beginningOffsets(all)), "end", byName(consumer.endOffsets(all)), "times", times);
      }
    });
    step("seek, position, pause, resume and lag", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("max.poll.records", 10)) {
        consumer.assign(all);
        consumer.seek(first, 150);
        consumer.pause(all.subList(1, PARTITIONS));
        List<ConsumerRecord<byte[], byte[]>> read = poll(consumer, 10);
        List<Object> steps = new ArrayList<>(List.of(read.get(0).offset(), read.size(), consumer.position(first), consumer.paused().size(), consumer.currentLag(first).orElse(-1)));
        consumer.seekToEnd(List.of(first));
        steps.add(consumer.position(first));
        consumer.resume(all);
        consumer.pause(List.of(first));
        consumer.seekToBeginning(all);
        steps.add(poll(consumer, 10).stream().map(ConsumerRecord::partition).noneMatch(partition -> partition == 0));
        consumer.seek(first, new OffsetAndMetadata(7, Optional.of(0), ""));
        consumer.pause(all.subList(1, PARTITIONS));
        consumer.resume(List.of(first));
        steps.add(poll(consumer, 1).get(0).offset());
        return steps;
      }
    });
    step("an offset out of range is an error, or reset to the beginning or the end", () -> {
      Map<String, Object> positions = new LinkedHashMap<>();
      for (String reset : List.of("none", "earliest", "latest")) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer("auto.offset.reset", reset)) {
          consumer.assign(List.of(first));
          consumer.seek(first, 1_000_000);
          List<Long> offsets = new ArrayList<>();
          String thrown = thrown(() -> {
            for (int i = 0; i < 20 && consumer.position(first) == 1_000_000; i++) consumer.poll(Duration.ofMillis(100)).forEach(record -> offsets.add(record.offset()));
            return null;
          });
          positions.put(reset, thrown.equals("nothing") ? List.of(offsets.isEmpty() ? -1 : offsets.get(0), consumer.position(first)) : thrown);
        }
      }
      return positions;
    });
    step("limits of a byte never stop a consumer", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("max.partition.fetch.bytes", 1, "fetch.max.bytes", 1)) {
        consumer.assign(all);
        consumer.seekToBeginning(all);
        return poll(consumer, RECORDS).size();
      }
    });
    step("a fetch waits for its minimum of bytes, or as long as it may", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("fetch.min.bytes", 10_000_000, "fetch.max.wait.ms", 300)) {
        consumer.assign(List.of(first));
        consumer.seekToBeginning(List.of(first));
        long start = System.nanoTime();
        int count = poll(consumer, 1).size();
        return List.of(count > 0, System.nanoTime() - start > 250_000_000L);
      }
    });
    step("listTopics shows what there is", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
        return consumer.listTopics().keySet().stream().filter(name -> name.startsWith("clients-")).sorted().collect(Collectors.toList());
      }
    });
  }

  /** The offsets that the producer was told, by partition. */
  private Map<String, Object> write(String topic, Object... settings) throws Exception {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    try (KafkaProducer<byte[], byte[]> producer = producer(settings)) {
      for (int i = 0; i < RECORDS; i++) sent.add(producer.send(record(topic, i % PARTITIONS, i)));
    }
    Map<String, Object> last = new TreeMap<>();
    for (Future<RecordMetadata> each : sent) last.put(String.valueOf(each.get().partition()), each.get().offset());
    return last;
  }

  static ProducerRecord<byte[], byte[]> record(String topic, int partition, int i) {
    List<Header> headers = i % 2 == 0 ? List.of(new RecordHeader("index", bytes(String.valueOf(i))), new RecordHeader("empty", new byte[0]), new RecordHeader("null", (byte[]) null), new RecordHeader("index", bytes("twice"))) : List.of();
    return new ProducerRecord<>(topic, partition, FIRST_TIMESTAMP + i * 1_000L, i % 10 == 9 ? null : bytes("key-" + i % 7), i % 20 == 5 ? null : bytes("value " + i + " ü " + "x".repeat(i % 300)), headers);
  }

  private static ProducerRecord<byte[], byte[]> sized(String topic, int bytes) {
    byte[] value = new byte[bytes];
    Arrays.fill(value, (byte) 'v');
    return new ProducerRecord<>(topic, 0, FIRST_TIMESTAMP, bytes("key"), value);
  }

  private Object read(String topic, int partitions) throws Exception {
    return digest(records(topic, partitions));
  }

  /** All that a topic holds up to now, partition by partition. */
  private List<ConsumerRecord<byte[], byte[]>> records(String topic, int partitionCount) {
    List<TopicPartition> partitions = partitions(topic, partitionCount);
    List<ConsumerRecord<byte[], byte[]>> read = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      for (int tries = 0; tries < 100 && partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition)); tries++) consumer.poll(Duration.ofMillis(200)).forEach(read::add);
    }
    read.sort(Comparator.<ConsumerRecord<byte[], byte[]>>comparingInt(ConsumerRecord::partition).thenComparingLong(ConsumerRecord::offset));
    return read;
  }

  /** How many, one of them in full, and a digest of every field of all. */
  private static Map<String, Object> digest(List<ConsumerRecord<byte[], byte[]>> records) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (ConsumerRecord<byte[], byte[]> each : records) digest.update(bytes(text(each)));
    return map("count", records.size(), "middle", text(records.get(records.size() / 2)).replaceAll("[xv]{2,}", "…"), "digest", HexFormat.of().formatHex(digest.digest()));
  }

  private static String text(ConsumerRecord<byte[], byte[]> record) {
    StringBuilder text = new StringBuilder(record.partition() + ":" + record.offset() + ":" + record.timestamp() + ":" + record.timestampType() + ":" + string(record.key()) + ":" + string(record.value()));
    for (Header header : record.headers()) text.append(":").append(header.key()).append("=").append(string(header.value()));
    return text.append("\n").toString();
  }

  private static List<String> values(List<ConsumerRecord<byte[], byte[]>> records) {
    return records.stream().map(record -> string(record.value())).collect(Collectors.toList());
  }

  /** At least so many records, or what comes within ten seconds. */
  static List<ConsumerRecord<byte[], byte[]>> poll(KafkaConsumer<byte[], byte[]> consumer, int count) {
    List<ConsumerRecord<byte[], byte[]>> read = new ArrayList<>();
    long end = System.nanoTime() + 10_000_000_000L;
    while (read.size() < count && System.nanoTime() < end) consumer.poll(Duration.ofMillis(100)).forEach(read::add);
    return read;
  }

  static List<TopicPartition> partitions(String topic, int count) {
    return IntStream.range(0, count).mapToObj(partition -> new TopicPartition(topic, partition)).collect(Collectors.toList());
  }

  static Map<String, Object> byName(Map<TopicPartition, Long> offsets) {
    Map<String, Object> named = new TreeMap<>();
    offsets.forEach((partition, offset) -> named.put(partition.toString(), offset));
    return named;
  }

  private KafkaProducer<byte[], byte[]> producer(Object... settings) {
    return new KafkaProducer<>(with(settings), new ByteArraySerializer(), new ByteArraySerializer());
  }

  private KafkaConsumer<byte[], byte[]> consumer(Object... settings) {
    return new KafkaConsumer<>(with(settings), new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static void create(Admin admin, String topic, int partitions, Map<String, String> configs) throws Exception {
    admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(configs))).all().get();
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String string(byte[] bytes) {
    return bytes == null ? "null" : new String(bytes, StandardCharsets.UTF_8);
  }
}
