// Clients that wait for an answer after every record: transactions, small producers, committed offsets. Prints one JSON line per measurement.
// Run as one source file: java -cp LIBS SmallCommits.java BOOTSTRAP TOPIC SECONDS MODE CLIENTS

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public final class SmallCommits {
  /** One client: does the whole of one unit of work and answers when the clock began to run for it, in nanoseconds. */
  interface Client extends AutoCloseable {
    long once() throws Exception;

    @Override
    void close();
  }

  private static String bootstrap;
  private static String topic;
  /** Those of the warm-up, too. */
  private static final AtomicLong count = new AtomicLong();
  private static final byte[] value = new byte[100];

  public static void main(String[] args) throws Exception {
    bootstrap = args[0];
    topic = args[1];
    int seconds = Integer.parseInt(args[2]);
    String mode = args[3];
    int clients = Integer.parseInt(args[4]);
    long[][] times = new long[clients][];
    CountDownLatch ready = new CountDownLatch(clients);
    Thread[] threads = new Thread[clients];
    for (int i = 0; i < clients; i++) {
      int number = i;
      threads[i] = new Thread(() -> times[number] = run(mode, number, ready, seconds));
      threads[i].start();
    }
    for (Thread thread : threads) thread.join();
    if (Arrays.asList(times).contains(null)) System.exit(1);
    long[] all = Arrays.stream(times).flatMapToLong(Arrays::stream).sorted().toArray();
    System.out.printf(Locale.ROOT, "{\"label\":\"%s\",\"clients\":%d,\"count\":%d,\"per_s\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f}%n",
        mode, clients, count.get(), (double) all.length / seconds, at(all, 0.5), at(all, 0.99));
  }

  /** A third of the time before the measurement warms both sides up. */
  private static long[] run(String mode, int number, CountDownLatch ready, int seconds) {
    List<Long> times = new ArrayList<>();
    try (Client client = client(mode, number)) {
      ready.countDown();
      ready.await();
      long begin = System.nanoTime() + seconds * 1_000_000_000L / 3, end = begin + seconds * 1_000_000_000L;
      for (long now = 0; now < end; ) {
        long began = client.once();
        now = System.nanoTime();
        count.incrementAndGet();
        if (now >= begin && now < end) times.add(now - began);
      }
      return times.stream().mapToLong(Long::longValue).toArray();
    } catch (Exception error) {
      error.printStackTrace();
      ready.countDown();
      return null;
    }
  }

  private static Client client(String mode, int number) throws Exception {
    return switch (mode) {
      case "commit" -> new Committing(number);
      case "commit-to-seen" -> new Seeing(number);
      case "read-process-write" -> new Processing(number);
      case "produce" -> new Producing(number);
      case "offsets" -> new Keeping(number);
      default -> throw new IllegalArgumentException(mode);
    };
  }

  /** A transaction of one record. */
  private static class Committing implements Client {
    final KafkaProducer<byte[], byte[]> producer;
    final TopicPartition place;

    Committing(int number) {
      place = placeOf(topic, number);
      producer = producer(Map.of("transactional.id", "small-" + number));
      producer.initTransactions();
    }

    @Override
    public long once() throws Exception {
      long began = System.nanoTime();
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(place.topic(), place.partition(), null, value));
      producer.commitTransaction();
      return began;
    }

    @Override
    public void close() {
      producer.close();
    }
  }

  /** From the call of commitTransaction to a reader of committed records. */
  private static final class Seeing extends Committing {
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final SynchronousQueue<Boolean> seen = new SynchronousQueue<>();
    private final Thread reader = new Thread(this::read);
    private volatile boolean isOver = false;

    Seeing(int number) {
      super(number);
      consumer = consumer(Map.of("isolation.level", "read_committed"));
      readFromEnd(consumer, place);
      reader.start();
    }

    private void read() {
      try {
        while (!isOver) for (ConsumerRecord<byte[], byte[]> ignored : consumer.poll(Duration.ofMillis(500))) seen.put(true);
      } catch (InterruptedException error) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public long once() throws Exception {
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(place.topic(), place.partition(), null, value)).get();
      long began = System.nanoTime();
      producer.commitTransaction();
      seen.take();
      return began;
    }

    @Override
    public void close() {
      super.close();
      isOver = true;
      try {
        reader.join();
      } catch (InterruptedException error) {
        Thread.currentThread().interrupt();
      }
      consumer.close();
    }
  }

  /** From a record's sending, through a program that reads, processes and writes exactly once, to a reader of committed records. */
  private static final class Processing implements Client {
    private final TopicPartition in, out;
    private final KafkaProducer<byte[], byte[]> source = producer(Map.of());
    private final KafkaProducer<byte[], byte[]> producer;
    private final KafkaConsumer<byte[], byte[]> input, output = consumer(Map.of("isolation.level", "read_committed"));

    Processing(int number) {
      in = placeOf(topic, 2 * number);
      out = placeOf(topic, 2 * number + 1);
      producer = producer(Map.of("transactional.id", "process-" + number));
      producer.initTransactions();
      input = consumer(Map.of("isolation.level", "read_committed", "group.id", "process-" + number));
      readFromEnd(input, in);
      readFromEnd(output, out);
    }

    @Override
    public long once() {
      long began = System.nanoTime();
      source.send(new ProducerRecord<>(in.topic(), in.partition(), null, value));
      ConsumerRecord<byte[], byte[]> record = next(input);
      producer.beginTransaction();
      producer.send(new ProducerRecord<>(out.topic(), out.partition(), null, record.value()));
      producer.sendOffsetsToTransaction(Map.of(in, new OffsetAndMetadata(record.offset() + 1)), new ConsumerGroupMetadata(input.groupMetadata().groupId()));
      producer.commitTransaction();
      next(output);
      return began;
    }

    private static ConsumerRecord<byte[], byte[]> next(KafkaConsumer<byte[], byte[]> consumer) {
      for (;;) for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) return record;
    }

    @Override
    public void close() {
      source.close();
      producer.close();
      input.close();
      output.close();
    }
  }

  /** One record of 100 bytes, acknowledged. */
  private static final class Producing implements Client {
    private final KafkaProducer<byte[], byte[]> producer = producer(Map.of());
    private final TopicPartition place;

    Producing(int number) {
      place = placeOf(topic, number);
    }

    @Override
    public long once() throws Exception {
      long began = System.nanoTime();
      producer.send(new ProducerRecord<>(place.topic(), place.partition(), null, value)).get();
      return began;
    }

    @Override
    public void close() {
      producer.close();
    }
  }

  /** One commit of a group's offset. */
  private static final class Keeping implements Client {
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final TopicPartition place;
    private long offset = 0;

    Keeping(int number) {
      place = placeOf(topic, number);
      consumer = consumer(Map.of("group.id", "keeping-" + number, "enable.auto.commit", "false"));
      consumer.assign(List.of(place));
    }

    @Override
    public long once() {
      long began = System.nanoTime();
      consumer.commitSync(Map.of(place, new OffsetAndMetadata(offset++)));
      return began;
    }

    @Override
    public void close() {
      consumer.close();
    }
  }

  /** The topic has 6 partitions. */
  private static TopicPartition placeOf(String topic, int number) {
    return new TopicPartition(topic, number % 6);
  }

  private static void readFromEnd(KafkaConsumer<byte[], byte[]> consumer, TopicPartition place) {
    consumer.assign(List.of(place));
    consumer.seekToEnd(List.of(place));
    consumer.position(place);
  }

  private static KafkaProducer<byte[], byte[]> producer(Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "acks", "all", "linger.ms", "0", "buffer.memory", "4194304"));
    settings.putAll(more);
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private static KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", bootstrap));
    settings.putAll(more);
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static double at(long[] sorted, double share) {
    return sorted.length == 0 ? Double.NaN : sorted[Math.min(sorted.length - 1, (int) Math.ceil(share * sorted.length))] / 1e6;
  }
}
