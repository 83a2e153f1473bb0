import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** A consumer in a thread of its own, which commits what it read when partitions are taken from it. */
final class Member implements AutoCloseable, ConsumerRebalanceListener {
  final Set<TopicPartition> assigned = ConcurrentHashMap.newKeySet();
  final List<String> read = Collections.synchronizedList(new ArrayList<>());
  volatile int rebalances;
  volatile int lost;
  volatile Throwable error;
  private volatile boolean closed;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Thread thread;

  Member(KafkaConsumer<byte[], byte[]> consumer, List<String> topics) {
    this.consumer = consumer;
    consumer.subscribe(topics, this);
    thread = new Thread(this::run, "member");
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    try (consumer) {
      while (!closed) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(50))) read.add(record.topic() + "-" + record.partition() + ":" + record.offset());
      }
    } catch (Throwable thrown) {
      error = thrown;
    }
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
    rebalances++;
    assigned.addAll(partitions);
  }

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
    if (!partitions.isEmpty()) consumer.commitSync();
    assigned.removeAll(partitions);
  }

  @Override
  public void onPartitionsLost(Collection<TopicPartition> partitions) {
    lost += partitions.size();
    assigned.removeAll(partitions);
  }

  void until(Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(25);
    while (!condition.call() && error == null) {
      if (System.nanoTime() > end) throw new IllegalStateException("waited for 25 seconds; assigned " + assigned + ", read " + read.size());
      Thread.sleep(10);
    }
  }

  @Override
  public void close() throws Exception {
    closed = true;
    thread.join(10_000);
  }
}
