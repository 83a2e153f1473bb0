import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** An application of Kafka Streams that counts words: repartitioned, with changelogs, restored after its state is gone; at least once and exactly once. */
public class StreamsStory extends Story {
  private static final String[] SENTENCES = {"the quick brown fox", "jumps over the lazy dog", "the end of the fox", "a dog is a dog"};
  private static final int PARTITIONS = 3;

  /** Of all records, which fall into one window. */
  private final long time = System.currentTimeMillis();

  @Override
  void tell() throws Exception {
    for (String guarantee : List.of("at_least_once", "exactly_once_v2")) count(guarantee);
  }

  private void count(String guarantee) {
    String prefix = "streams-" + guarantee.replace("_", "");
    Path state = Path.of(System.getProperty("java.io.tmpdir"), "millrace-" + prefix + "-" + ProcessHandle.current().pid());
    try (Admin admin = Admin.create(with())) {
      step("words are counted by key over a repartition topic (" + guarantee + ")", () -> {
        admin.createTopics(List.of(new NewTopic(prefix + "-lines", PARTITIONS, (short) 1), new NewTopic(prefix + "-counts", PARTITIONS, (short) 1), new NewTopic(prefix + "-windows", 1, (short) 1))).all().get();
        write(prefix, 0, 400);
        return run(prefix, guarantee, state, 1, 400);
      });
      step("it goes on where it was after a restart (" + guarantee + ")", () -> {
        write(prefix, 400, 600);
        return run(prefix, guarantee, state, 1, 600);
      });
      step("its state is restored from the changelog when the directory is gone (" + guarantee + ")", () -> {
        delete(state);
        write(prefix, 600, 800);
        return run(prefix, guarantee, state, 1, 800);
      });
      step("two threads share its tasks (" + guarantee + ")", () -> {
        write(prefix, 800, 1_000);
        return run(prefix, guarantee, state, 2, 1_000);
      });
      step("the counts are those of all lines, and each was counted once (" + guarantee + ")", () -> counts(prefix, guarantee));
      step("the topics it made for itself (" + guarantee + ")", () -> internalTopics(admin, prefix));
      step("its group, and how far it committed (" + guarantee + ")", () -> {
        var offsets = admin.listConsumerGroupOffsets(prefix).partitionsToOffsetAndMetadata().get();
        long lines = offsets.entrySet().stream().filter(entry -> entry.getKey().topic().endsWith("-lines")).mapToLong(entry -> entry.getValue().offset()).sum();
        return List.of(lines, offsets.keySet().stream().map(TopicPartition::topic).map(name -> name.replace(prefix, "")).collect(Collectors.toCollection(TreeSet::new)));
      });
    } finally {
      delete(state);
    }
  }

  /** Runs the application until it has counted the words of so many lines; what its stores say then. */
  private Object run(String prefix, String guarantee, Path state, int threads, int lines) throws Exception {
    Properties properties = new Properties();
    properties.putAll(with("application.id", prefix, "processing.guarantee", guarantee, "state.dir", state.toString(), "num.stream.threads", threads, "commit.interval.ms", 100, "auto.offset.reset", "earliest", "statestore.cache.max.bytes", 0, "session.timeout.ms", 10_000, "heartbeat.interval.ms", 300, "replication.factor", -1,
        "group.instance.id", "one")); // Else the next run waits until the session of this one has ended.
    AtomicReference<Throwable> failure = new AtomicReference<>();
    KafkaStreams streams = new KafkaStreams(topology(prefix), properties);
    try {
      streams.setUncaughtExceptionHandler(error -> {
        failure.set(error);
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
      });
      streams.start();
      Map<String, Object> wanted = expected(lines);
      Map<String, Object> found = Map.of();
      for (int i = 0; i < 400 && !found.equals(wanted) && failure.get() == null; i++) {
        Thread.sleep(50);
        found = stored(streams);
      }
      if (failure.get() != null) throw new IllegalStateException(failure.get());
      return found;
    } finally {
      streams.close(Duration.ofSeconds(20));
    }
  }

  private Topology topology(String prefix) {
    StreamsBuilder builder = new StreamsBuilder();
    var words = builder.stream(prefix + "-lines", Consumed.with(Serdes.String(), Serdes.String()))
        .flatMapValues(line -> Arrays.asList(line.split(" ")))
        .groupBy((key, word) -> word, Grouped.<String, String>as("words").withKeySerde(Serdes.String()).withValueSerde(Serdes.String()));
    words.count(Materialized.<String, Long>as(Stores.persistentKeyValueStore("counts")).withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))
        .toStream().to(prefix + "-counts", Produced.with(Serdes.String(), Serdes.Long()));
    words.windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofSeconds(100))).count()
        .toStream((window, count) -> window.key() + "@" + window.window().start()).to(prefix + "-windows", Produced.with(Serdes.String(), Serdes.Long()));
    return builder.build();
  }

  private static Map<String, Object> stored(KafkaStreams streams) {
    Map<String, Object> found = new TreeMap<>();
    try {
      ReadOnlyKeyValueStore<String, Long> store = streams.store(StoreQueryParameters.fromNameAndType("counts", QueryableStoreTypes.keyValueStore()));
      try (var rows = store.all()) {
        rows.forEachRemaining(row -> found.put(row.key, row.value));
      }
    } catch (InvalidStateStoreException error) {
      return Map.of(); // It is not open yet, or moves.
    }
    return found;
  }

  private static Map<String, Object> expected(int lines) {
    Map<String, Object> counts = new TreeMap<>();
    for (int i = 0; i < lines; i++) for (String word : SENTENCES[i % SENTENCES.length].split(" ")) counts.merge(word, 1L, (a, b) -> (Long) a + (Long) b);
    return counts;
  }

  /** The last count of each word, and whether its counts went up by one at a time; the sum of the last counts of all windows. */
  private Object counts(String prefix, String guarantee) {
    Map<String, Long> last = new TreeMap<>();
    Map<String, Long> windows = new TreeMap<>();
    boolean steady = true;
    String isolation = guarantee.equals("exactly_once_v2") ? "read_committed" : "read_uncommitted";
    for (String topic : List.of(prefix + "-counts", prefix + "-windows")) {
      List<TopicPartition> partitions = ClientsStory.partitions(topic, topic.endsWith("-counts") ? PARTITIONS : 1);
      try (KafkaConsumer<String, Long> consumer = new KafkaConsumer<>(with("isolation.level", isolation), new StringDeserializer(), new LongDeserializer())) {
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        var ends = consumer.endOffsets(partitions);
        for (int i = 0; i < 100 && partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition)); i++) {
          for (var record : consumer.poll(Duration.ofMillis(100))) {
            Long before = (topic.endsWith("-counts") ? last : windows).put(record.key(), record.value());
            if (record.value() != (before == null ? 0 : before) + 1) steady = false;
          }
        }
      }
    }
    return map("last", last, "steady", steady, "windows", windows.size(), "in windows", windows.values().stream().mapToLong(Long::longValue).sum());
  }

  private static Object internalTopics(Admin admin, String prefix) throws Exception {
    Map<String, Object> found = new TreeMap<>();
    for (String topic : admin.listTopics().names().get()) {
      if (!topic.startsWith(prefix + "-") || !(topic.endsWith("-changelog") || topic.endsWith("-repartition"))) continue;
      ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
      var config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
      found.put(topic.substring(prefix.length()), List.of(admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size(), config.get("cleanup.policy").value(), config.get("retention.ms").value(), config.get("segment.bytes").value(), config.get("message.timestamp.type").value()));
    }
    return found;
  }

  private void write(String prefix, int from, int to) {
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(with(), new StringSerializer(), new StringSerializer())) {
      for (int i = from; i < to; i++) producer.send(new ProducerRecord<>(prefix + "-lines", i % PARTITIONS, time, null, SENTENCES[i % SENTENCES.length]));
    }
  }

  private static void delete(Path directory) {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).collect(Collectors.toList())) Files.delete(file);
    } catch (IOException error) {
      if (Files.exists(directory)) throw new UncheckedIOException(error);
    }
  }
}
