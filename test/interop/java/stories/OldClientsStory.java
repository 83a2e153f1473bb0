import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** What clients of every age can do: only calls that Apache Kafka's clients 2.1 and 4.3 share, so that one class runs on all of them. */
public class OldClientsStory extends Story {
  private static final TopicPartition input = new TopicPartition("old-input", 0);
  private AdminClient admin;

  @Override
  void tell() throws Exception {
    try (AdminClient opened = AdminClient.create(with())) {
      admin = opened;
      administer();
      for (String compression : List.of("none", "gzip", "lz4", "snappy", "zstd")) produce(compression);
      consume();
      transact();
      share();
      cleanUp();
    }
  }

  private void administer() {
    step("the cluster", () -> map("nodes", admin.describeCluster().nodes().get().size(), "controller", admin.describeCluster().controller().get().id()));
    step("createTopics", () -> {
      admin.createTopics(List.of(new NewTopic("old-input", 2, (short) 1), new NewTopic("old-output", 1, (short) 1).configs(Map.of("retention.ms", "1234567")))).all().get();
      return admin.listTopics().names().get().stream().filter(name -> name.startsWith("old-")).sorted().collect(Collectors.toList());
    });
    step("createTopics of what is there", () -> thrown(() -> admin.createTopics(List.of(new NewTopic("old-input", 2, (short) 1))).all().get()));
    step("describeConfigs", () -> {
      ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "old-output");
      return List.of("retention.ms", "cleanup.policy").stream().map(name -> {
        try {
          return admin.describeConfigs(List.of(topic)).all().get().get(topic).get(name).value();
        } catch (Exception error) {
          throw new IllegalStateException(error);
        }
      }).collect(Collectors.toList());
    });
    step("createPartitions", () -> {
      admin.createPartitions(Map.of("old-output", NewPartitions.increaseTo(2))).all().get();
      try (KafkaProducer<String, String> producer = producer()) {
        return producer.partitionsFor("old-output").size();
      }
    });
  }

  private void produce(String compression) {
    step("an idempotent producer, " + compression, () -> {
      try (KafkaProducer<String, String> producer = producer("enable.idempotence", true, "acks", "all", "compression.type", compression, "linger.ms", 5)) {
        for (int i = 0; i < 50; i++) producer.send(new ProducerRecord<>("old-input", 0, "k" + i % 3, compression + " " + i));
        long last = producer.send(new ProducerRecord<>("old-input", 0, "end", compression)).get().offset();
        return last % 51;
      }
    });
  }

  private void consume() {
    step("a consumer reads all, in order", () -> {
      try (KafkaConsumer<String, String> consumer = consumer("old-readers")) {
        List<String> values = read(consumer, 5 * 51);
        consumer.commitSync();
        return map("count", values.size(), "first", values.get(0), "last", values.get(values.size() - 1), "committed", committed("old-readers"));
      }
    });
    step("listConsumerGroupOffsets and describeConsumerGroups", () -> map(
        "offsets", admin.listConsumerGroupOffsets("old-readers").partitionsToOffsetAndMetadata().get().values().stream().map(OffsetAndMetadata::offset).sorted().collect(Collectors.toList()),
        "state", String.valueOf(admin.describeConsumerGroups(List.of("old-readers")).all().get().get("old-readers").state()),
        "listed", admin.listConsumerGroups().all().get().stream().anyMatch(group -> group.groupId().equals("old-readers"))));
    step("offsets by time, and of beginning and end", () -> {
      try (KafkaConsumer<String, String> consumer = consumer("old-askers")) {
        return List.of(consumer.offsetsForTimes(Map.of(input, 0L)).get(input).offset(), consumer.beginningOffsets(List.of(input)).get(input), consumer.endOffsets(List.of(input)).get(input));
      }
    });
    step("two members share, and one takes over", () -> {
      Map<String, Object> told = new TreeMap<>();
      CountDownLatch shared = new CountDownLatch(1);
      KafkaConsumer<String, String> first = consumer("old-pair");
      first.subscribe(List.of("old-input"));
      Thread second = new Thread(() -> {
        try (KafkaConsumer<String, String> consumer = consumer("old-pair")) {
          consumer.subscribe(List.of("old-input"));
          while (consumer.assignment().size() != 1) consumer.poll(Duration.ofMillis(100));
          shared.countDown();
        }
      });
      while (first.assignment().size() != 2) first.poll(Duration.ofMillis(100));
      told.put("alone", 2);
      second.start();
      while (!shared.await(0, TimeUnit.MILLISECONDS)) first.poll(Duration.ofMillis(100));
      told.put("shared", 1);
      while (first.assignment().size() != 2) first.poll(Duration.ofMillis(100));
      told.put("alone again", 2);
      second.join();
      first.close();
      return told;
    });
  }

  private void transact() {
    step("a transaction with offsets is read when it is committed, an aborted one never", () -> {
      try (KafkaProducer<String, String> producer = producer("transactional.id", "old-transactions")) {
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("old-output", 0, "k", "aborted")).get();
        producer.abortTransaction();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("old-output", 0, "k", "committed"));
        sendOffsets(producer, Map.of(input, new OffsetAndMetadata(7)), "old-transacted");
        producer.commitTransaction();
      }
      try (KafkaConsumer<String, String> consumer = consumer("old-transacted", "isolation.level", "read_committed")) {
        consumer.assign(List.of(new TopicPartition("old-output", 0)));
        consumer.seekToBeginning(consumer.assignment());
        List<String> values = new ArrayList<>();
        while (values.isEmpty()) for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) values.add(record.value() + " at " + record.offset());
        return map("read", values, "offset", committed("old-transacted"), "end", consumer.endOffsets(consumer.assignment()).values().iterator().next());
      }
    });
    step("a second producer of the same name fences the first", () -> {
      try (KafkaProducer<String, String> first = producer("transactional.id", "old-fenced"); KafkaProducer<String, String> second = producer("transactional.id", "old-fenced")) {
        first.initTransactions();
        first.beginTransaction();
        first.send(new ProducerRecord<>("old-output", 0, "k", "lost")).get();
        second.initTransactions();
        second.beginTransaction();
        second.send(new ProducerRecord<>("old-output", 0, "k", "kept"));
        second.commitTransaction();
        try {
          first.send(new ProducerRecord<>("old-output", 0, "k", "late"));
          first.commitTransaction();
          return "not fenced";
        } catch (KafkaException error) {
          return "fenced"; // ProducerFencedException, with which InvalidProducerEpochException took turns over the years.
        }
      }
    });
  }

  private long committed(String group) throws Exception {
    return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(input).offset();
  }

  private void share() {
    step("deleteRecords", () -> admin.deleteRecords(Map.of(input, RecordsToDelete.beforeOffset(10))).lowWatermarks().get(input).get().lowWatermark());
    step("a consumer whose position is gone begins anew", () -> {
      try (KafkaConsumer<String, String> consumer = consumer("old-gone")) {
        consumer.assign(List.of(input));
        consumer.seek(input, 3);
        while (true) for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) return record.offset();
      }
    });
  }

  private void cleanUp() {
    step("deleteConsumerGroups and deleteTopics", () -> {
      admin.deleteConsumerGroups(List.of("old-readers")).all().get();
      admin.deleteTopics(List.of("old-input", "old-output")).all().get();
      return new TreeSet<>(admin.listTopics().names().get()).stream().filter(name -> name.startsWith("old-")).collect(Collectors.toList());
    });
  }

  private KafkaProducer<String, String> producer(Object... settings) {
    return new KafkaProducer<>(with(settings), new StringSerializer(), new StringSerializer());
  }

  private KafkaConsumer<String, String> consumer(String group, Object... settings) {
    Map<String, Object> all = with(settings);
    all.putAll(Map.of("group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", false, "heartbeat.interval.ms", 100));
    return new KafkaConsumer<>(all, new StringDeserializer(), new StringDeserializer());
  }

  private static List<String> read(KafkaConsumer<String, String> consumer, int count) {
    consumer.subscribe(List.of("old-input"));
    List<String> values = new ArrayList<>();
    while (values.size() < count) for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) values.add(record.value());
    return values;
  }

  /** Producers before 2.5 name the group, those of 4 give what its member knows. */
  private static void sendOffsets(KafkaProducer<String, String> producer, Map<TopicPartition, OffsetAndMetadata> offsets, String group) throws Exception {
    try {
      KafkaProducer.class.getMethod("sendOffsetsToTransaction", Map.class, String.class).invoke(producer, offsets, group);
    } catch (NoSuchMethodException error) {
      Class<?> metadata = Class.forName("org.apache.kafka.clients.consumer.ConsumerGroupMetadata");
      KafkaProducer.class.getMethod("sendOffsetsToTransaction", Map.class, metadata).invoke(producer, offsets, metadata.getConstructor(String.class).newInstance(group));
    }
  }
}
