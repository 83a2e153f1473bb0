import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The transactional producer, consumers that read only what is committed, and the administrator of transactions. */
public class TransactionsStory extends Story {
  private static final TopicPartition first = new TopicPartition("txn", 0);
  private static final TopicPartition second = new TopicPartition("txn", 1);
  private Admin admin;

  @Override
  void tell() throws Exception {
    try (Admin opened = Admin.create(with("default.api.timeout.ms", 15_000, "request.timeout.ms", 10_000))) {
      admin = opened;
      admin.createTopics(List.of(new NewTopic("txn", 2, (short) 1), new NewTopic("txn-input", 1, (short) 1), new NewTopic("txn-output", 1, (short) 1))).all().get();
      committing();
      fencing();
      consumeTransformProduce();
      misuse();
      administering();
    }
  }

  private void committing() {
    step("what is committed is read; what is open or aborted is not", () -> {
      try (KafkaProducer<byte[], byte[]> producer = producer("txn-a"); KafkaProducer<byte[], byte[]> plain = new KafkaProducer<>(with(), new ByteArraySerializer(), new ByteArraySerializer())) {
        List<Object> seen = new ArrayList<>();
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(record(first, "committed 1"));
        producer.send(record(second, "committed 2"));
        producer.flush();
        seen.add(List.of(committed(first), uncommitted(first), ends(first)));
        commitTransaction(producer);
        seen.add(List.of(committed(first), committed(second), ends(first)));
        producer.beginTransaction();
        producer.send(record(first, "aborted 1"));
        producer.send(record(second, "aborted 2"));
        producer.flush();
        abortTransaction(producer);
        plain.send(record(first, "plain")).get();
        producer.beginTransaction();
        producer.send(record(first, "committed 3"));
        commitTransaction(producer);
        seen.add(List.of(committed(first), uncommitted(first), committed(second), uncommitted(second), ends(first), ends(second)));
        return seen;
      }
    });
    step("records behind an open transaction wait for its end", () -> {
      try (KafkaProducer<byte[], byte[]> producer = producer("txn-b"); KafkaProducer<byte[], byte[]> plain = new KafkaProducer<>(with(), new ByteArraySerializer(), new ByteArraySerializer())) {
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(record(first, "open")).get();
        long behind = plain.send(record(first, "behind")).get().offset();
        boolean hidden = !committed(first).contains("behind") && uncommitted(first).contains("behind");
        var end = ends(first);
        commitTransaction(producer);
        return List.of(behind, hidden, end, committed(first).contains("behind"));
      }
    });
    step("several hundred transactions, every third aborted", () -> {
      TopicPartition partition = topic("txn-many", 1);
      try (KafkaProducer<byte[], byte[]> producer = producer("txn-many", "linger.ms", 1_000)) {
        producer.initTransactions();
        for (int i = 0; i < 150; i++) {
          producer.beginTransaction();
          producer.send(record(partition, String.valueOf(i)));
          producer.send(record(partition, i + "b"));
          // Some aborts come before anything was sent, and none waits for the markers of the one before. Where a producer of 4.3 is told to end
          // while its thread is between looking for batches and looking for requests, it sends EndTxn before the batches: so it is not told then.
          if (i % 6 == 2) Thread.sleep(2);
          else producer.flush();
          if (i % 3 == 2) producer.abortTransaction();
          else producer.commitTransaction();
        }
      }
      settle();
      List<String> read = committed(partition);
      return List.of(read.size(), read.stream().noneMatch(value -> Integer.parseInt(value.replace("b", "")) % 3 == 2));
    });
    step("an empty transaction, and one over many partitions", () -> {
      topic("txn-wide", 20);
      try (KafkaProducer<byte[], byte[]> producer = producer("txn-wide")) {
        producer.initTransactions();
        producer.beginTransaction();
        commitTransaction(producer);
        producer.beginTransaction();
        for (int i = 0; i < 200; i++) producer.send(record(new TopicPartition("txn-wide", i % 20), String.valueOf(i)));
        commitTransaction(producer);
      }
      int read = 0;
      for (int i = 0; i < 20; i++) read += committed(new TopicPartition("txn-wide", i)).size();
      return read;
    });
  }

  private void fencing() {
    step("a second producer of the same id fences the first, and aborts what it left open", () -> {
      TopicPartition partition = topic("txn-fenced", 1);
      try (KafkaProducer<byte[], byte[]> old = producer("txn-fenced")) {
        old.initTransactions();
        old.beginTransaction();
        old.send(record(partition, "left open")).get();
        try (KafkaProducer<byte[], byte[]> young = producer("txn-fenced")) {
          young.initTransactions();
          young.beginTransaction();
          young.send(record(partition, "young")).get();
          String sent = thrown(() -> old.send(record(partition, "too late")).get());
          String commit = thrown(() -> { old.commitTransaction(); return null; });
          commitTransaction(young);
          return List.of(sent, commit, committed(partition), ends(partition));
        }
      }
    });
    step("fenceProducers", () -> {
      TopicPartition partition = topic("txn-fence-admin", 1);
      try (KafkaProducer<byte[], byte[]> producer = producer("txn-fence-admin")) {
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(record(partition, "fenced")).get();
        FenceProducersResult fenced = admin.fenceProducers(List.of("txn-fence-admin"));
        boolean moved = fenced.epochId("txn-fence-admin").get() > 0 && fenced.producerId("txn-fence-admin").get() >= 0;
        return List.of(moved, thrown(() -> { producer.commitTransaction(); return null; }), committed(partition));
      }
    });
    step("a transaction that takes longer than its timeout is aborted by the broker", () -> {
      TopicPartition partition = topic("txn-timeout", 1);
      try (KafkaProducer<byte[], byte[]> producer = producer("txn-timeout", "transaction.timeout.ms", 1_000)) {
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(record(partition, "too slow")).get();
        // Apache Kafka looks every ten seconds.
        for (int i = 0; i < 200 && ends(partition).equals(List.of(0L, 1L)); i++) Thread.sleep(100);
        return List.of(ends(partition), committed(partition), thrown(() -> { producer.commitTransaction(); return null; }));
      }
    });
    step("a timeout that the broker does not allow", () -> {
      try (KafkaProducer<byte[], byte[]> producer = producer("txn-long", "transaction.timeout.ms", 900_001)) {
        return thrown(() -> { producer.initTransactions(); return null; });
      }
    });
  }

  private void consumeTransformProduce() {
    step("offsets are committed with the transaction, or not at all", () -> {
      TopicPartition input = new TopicPartition("txn-input", 0);
      TopicPartition output = new TopicPartition("txn-output", 0);
      try (KafkaProducer<byte[], byte[]> plain = new KafkaProducer<>(with(), new ByteArraySerializer(), new ByteArraySerializer())) {
        for (int i = 0; i < 10; i++) plain.send(record(input, "input " + i)).get();
      }
      List<Object> seen = new ArrayList<>();
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "txn-group", "enable.auto.commit", false, "auto.offset.reset", "earliest", "max.poll.records", 5); KafkaProducer<byte[], byte[]> producer = producer("txn-ctp")) {
        consumer.subscribe(List.of("txn-input"));
        producer.initTransactions();
        for (boolean commit : new boolean[] {false, true}) {
          List<ConsumerRecord<byte[], byte[]>> read = ClientsStory.poll(consumer, 5);
          producer.beginTransaction();
          for (ConsumerRecord<byte[], byte[]> each : read) producer.send(record(output, "output of " + ClientsStory.string(each.value())));
          producer.sendOffsetsToTransaction(Map.of(input, new OffsetAndMetadata(consumer.position(input), Optional.of(0), "meta")), consumer.groupMetadata());
          producer.flush();
          seen.add(thrown(() -> admin.listConsumerGroupOffsets(Map.of("txn-group", new ListConsumerGroupOffsetsSpec()), new ListConsumerGroupOffsetsOptions().requireStable(true).timeoutMs(700)).partitionsToOffsetAndMetadata("txn-group").get()));
          if (commit) commitTransaction(producer);
          else abortTransaction(producer);
          if (!commit) consumer.seekToBeginning(List.of(input));
          // The marker of an abort reaches the offsets a moment later.
          var offset = admin.listConsumerGroupOffsets(Map.of("txn-group", new ListConsumerGroupOffsetsSpec()), new ListConsumerGroupOffsetsOptions().requireStable(true)).partitionsToOffsetAndMetadata("txn-group").get().get(input);
          seen.add(offset == null ? "none" : offset.offset() + offset.metadata());
        }
        seen.add(committed(output));
      }
      return seen;
    });
    step("offsets of a group that has gone on without this member are refused", () -> {
      TopicPartition input = new TopicPartition("txn-input", 0);
      try (KafkaProducer<byte[], byte[]> producer = producer("txn-stale"); KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "txn-stale", "enable.auto.commit", false, "auto.offset.reset", "earliest")) {
        consumer.subscribe(List.of("txn-input"));
        ClientsStory.poll(consumer, 1);
        producer.initTransactions();
        Map<String, Object> errors = new LinkedHashMap<>();
        producer.beginTransaction();
        errors.put("unknown member", thrown(() -> { producer.sendOffsetsToTransaction(Map.of(input, new OffsetAndMetadata(1)), new ConsumerGroupMetadata("txn-stale", 1, "nobody", Optional.empty())); return null; }));
        abortTransaction(producer);
        producer.beginTransaction();
        errors.put("old generation", thrown(() -> { producer.sendOffsetsToTransaction(Map.of(input, new OffsetAndMetadata(1)), new ConsumerGroupMetadata("txn-stale", 0, consumer.groupMetadata().memberId(), Optional.empty())); return null; }));
        abortTransaction(producer);
        producer.beginTransaction();
        errors.put("right", thrown(() -> { producer.sendOffsetsToTransaction(Map.of(input, new OffsetAndMetadata(1)), consumer.groupMetadata()); return null; }));
        commitTransaction(producer);
        errors.put("offset", admin.listConsumerGroupOffsets("txn-stale").partitionsToOffsetAndMetadata().get().get(input).offset());
        return errors;
      }
    });
  }

  private void misuse() {
    step("a record that is refused aborts its transaction, and the next one goes well", () -> {
      TopicPartition partition = topic("txn-refused", 1);
      try (KafkaProducer<byte[], byte[]> producer = producer("txn-refused", "max.request.size", 5_000_000)) {
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(record(partition, "small"));
        String sent = thrown(() -> producer.send(new ProducerRecord<>("txn-refused", 0, null, new byte[2_000_000])).get());
        String commit = thrown(() -> { producer.commitTransaction(); return null; });
        abortTransaction(producer);
        producer.beginTransaction();
        producer.send(record(partition, "next"));
        commitTransaction(producer);
        return List.of(sent, commit.equals("nothing"), committed(partition));
      }
    });
  }

  private void administering() {
    step("describeTransactions, listTransactions and describeProducers of an open transaction", () -> {
      TopicPartition partition = topic("txn-admin", 1);
      try (KafkaProducer<byte[], byte[]> producer = producer("txn-admin", "transaction.timeout.ms", 60_000)) {
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(record(partition, "open")).get();
        TransactionDescription open = admin.describeTransactions(List.of("txn-admin")).description("txn-admin").get();
        var listed = admin.listTransactions(new ListTransactionsOptions().filterStates(Set.of(TransactionState.ONGOING))).all().get().stream().map(listing -> listing.transactionalId() + " " + listing.state()).sorted().collect(Collectors.toList());
        var byProducer = admin.listTransactions(new ListTransactionsOptions().filterProducerIds(Set.of(open.producerId()))).all().get().size();
        ProducerState state = admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().get(0);
        Object during = List.of(open.state().toString(), open.coordinatorId(), open.transactionTimeoutMs(), open.transactionStartTimeMs().isPresent(), open.topicPartitions().toString(), state.producerId() == open.producerId(), state.currentTransactionStartOffset().orElse(-1));
        commitTransaction(producer);
        AdminStory.eventually(() -> admin.describeTransactions(List.of("txn-admin")).description("txn-admin").get().state() == TransactionState.COMPLETE_COMMIT);
        TransactionDescription done = admin.describeTransactions(List.of("txn-admin")).description("txn-admin").get();
        return map("open", during, "listed", listed, "by producer", byProducer, "done", List.of(done.state().toString(), done.topicPartitions().size(), done.transactionStartTimeMs().isPresent()));
      }
    });
    step("abortTransaction of one that hangs", () -> {
      TopicPartition partition = topic("txn-hanging", 1);
      try (KafkaProducer<byte[], byte[]> producer = producer("txn-hanging")) {
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(record(partition, "hangs")).get();
        ProducerState state = admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().get(0);
        admin.abortTransaction(new AbortTransactionSpec(partition, state.producerId(), (short) state.producerEpoch(), state.coordinatorEpoch().orElse(0))).all().get();
        ProducerState after = admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().get(0);
        return List.of(state.currentTransactionStartOffset().orElse(-1), after.currentTransactionStartOffset().orElse(-1), committed(partition), ends(partition));
      }
    });
    step("forceTerminateTransaction", () -> {
      TopicPartition partition = topic("txn-terminated", 1);
      try (KafkaProducer<byte[], byte[]> producer = producer("txn-terminated")) {
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(record(partition, "terminated")).get();
        admin.forceTerminateTransaction("txn-terminated").result().get();
        return List.of(thrown(() -> { producer.commitTransaction(); return null; }), committed(partition));
      }
    });
  }

  private TopicPartition topic(String name, int partitions) throws Exception {
    admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1))).all().get();
    return new TopicPartition(name, 0);
  }

  private static ProducerRecord<byte[], byte[]> record(TopicPartition partition, String value) {
    return new ProducerRecord<>(partition.topic(), partition.partition(), null, ClientsStory.bytes(value));
  }

  private List<String> committed(TopicPartition partition) {
    return read(partition, "read_committed");
  }

  private List<String> uncommitted(TopicPartition partition) {
    return read(partition, "read_uncommitted");
  }

  /** What a consumer finds up to the end that it sees, which for read_committed is the last stable offset. */
  private List<String> read(TopicPartition partition, String isolation) {
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer = consumer("isolation.level", isolation, "fetch.max.wait.ms", 50)) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      for (int i = 0; i < 100 && consumer.position(partition) < end; i++) consumer.poll(Duration.ofMillis(100)).forEach(record -> values.add(ClientsStory.string(record.value())));
    }
    return values;
  }

  /** The end for those who read only what is committed, and for all. */
  private List<Long> ends(TopicPartition partition) throws Exception {
    List<Long> ends = new ArrayList<>();
    for (IsolationLevel level : List.of(IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)) ends.add(admin.listOffsets(Map.of(partition, OffsetSpec.latest()), new ListOffsetsOptions(level)).partitionResult(partition).get().offset());
    return ends;
  }

  private void commitTransaction(KafkaProducer<byte[], byte[]> producer) throws Exception {
    producer.commitTransaction();
    settle();
  }

  private void abortTransaction(KafkaProducer<byte[], byte[]> producer) throws Exception {
    producer.abortTransaction();
    settle();
  }

  /** An end is acknowledged when it is decided; its markers follow. */
  private void settle() throws Exception {
    var ending = new ListTransactionsOptions().filterStates(Set.of(TransactionState.PREPARE_COMMIT, TransactionState.PREPARE_ABORT));
    AdminStory.eventually(() -> admin.listTransactions(ending).all().get().isEmpty());
  }

  private KafkaProducer<byte[], byte[]> producer(String transactionalId, Object... settings) {
    Map<String, Object> all = with(settings);
    all.put("transactional.id", transactionalId);
    all.putIfAbsent("max.block.ms", 10_000);
    return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private KafkaConsumer<byte[], byte[]> consumer(Object... settings) {
    return new KafkaConsumer<>(with(settings), new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }
}
