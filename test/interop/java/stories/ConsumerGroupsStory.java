import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Consumers with group.protocol=consumer (KIP-848), whose partitions the broker assigns. */
public class ConsumerGroupsStory extends Story {
  private static final int PARTITIONS = 4;
  private static final int RECORDS = 200;
  private Admin admin;

  @Override
  void tell() throws Exception {
    try (Admin opened = Admin.create(with("default.api.timeout.ms", 15_000, "request.timeout.ms", 10_000))) {
      admin = opened;
      admin.createTopics(List.of(new NewTopic("shared", PARTITIONS, (short) 1))).all().get();
      write("shared", RECORDS);
      for (String assignor : List.of("uniform", "range")) sharing(assignor);
      commits();
      staticMembers();
      patterns();
      administering();
      transactions();
      migration();
    }
  }

  private void sharing(String assignor) {
    String group = "consumers-" + assignor;
    String topic = "shared-" + assignor;
    step("two members share, one leaves, every record is read once (" + assignor + ")", () -> {
      admin.createTopics(List.of(new NewTopic(topic, PARTITIONS, (short) 1))).all().get();
      write(topic, RECORDS);
      Object[] settings = {"group.id", group, "group.remote.assignor", assignor, "max.poll.records", 7};
      try (Member first = member(topic, settings)) {
        first.until(() -> first.assigned.size() == PARTITIONS);
        List<Object> shares = new ArrayList<>(List.of(first.assigned.size()));
        Member second = member(topic, settings);
        try (second) {
          second.until(() -> first.assigned.size() == 2 && second.assigned.size() == 2);
          shares.add(List.of(first.assigned.size(), second.assigned.size(), Collections.disjoint(first.assigned, second.assigned)));
          second.until(() -> union(first, second).size() == RECORDS);
        }
        first.until(() -> first.assigned.size() == PARTITIONS);
        shares.add(first.assigned.size());
        shares.add(Map.of("different", union(first, second).size(), "in all", first.read.size() + second.read.size(), "lost", first.lost + second.lost));
        return shares;
      }
    });
    step("the offsets of the group are kept, and the next member goes on there (" + assignor + ")", () -> {
      long committed = 0;
      for (OffsetAndMetadata offset : admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().values()) committed += offset.offset();
      write(topic, 8);
      try (Member next = member(topic, "group.id", group)) {
        next.until(() -> next.read.size() >= 8);
        return List.of(committed, next.read.size());
      }
    });
  }

  private void commits() {
    step("commits, which the next member finds", () -> {
      TopicPartition partition = new TopicPartition("shared", 0);
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "consumers-commits")) {
        consumer.subscribe(List.of("shared"));
        AdminStory.eventually(() -> { consumer.poll(Duration.ofMillis(50)); return consumer.assignment().size() == PARTITIONS; });
        consumer.commitSync(Map.of(partition, new OffsetAndMetadata(45, Optional.of(0), "what I know")));
      }
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "consumers-commits", "auto.offset.reset", "latest")) {
        consumer.subscribe(List.of("shared"));
        AdminStory.eventually(() -> { consumer.poll(Duration.ofMillis(50)); return consumer.assignment().size() == PARTITIONS; });
        OffsetAndMetadata committed = consumer.committed(Set.of(partition)).get(partition);
        return List.of(committed.offset(), committed.metadata(), committed.leaderEpoch().orElse(-1), consumer.groupMetadata().generationId() > 0);
      }
    });
  }

  private void staticMembers() {
    step("a static member comes back to its partitions, and the others keep theirs", () -> {
      Object[] one = {"group.id", "consumers-static", "group.instance.id", "one"};
      Object[] two = {"group.id", "consumers-static", "group.instance.id", "two"};
      try (Member first = member("shared", one)) {
        Set<TopicPartition> before;
        try (Member second = member("shared", two)) {
          second.until(() -> first.assigned.size() == 2 && second.assigned.size() == 2);
          before = Set.copyOf(second.assigned);
        }
        int rebalances = first.rebalances;
        try (Member again = member("shared", two)) {
          again.until(() -> again.assigned.size() == 2);
          return map("same", before.equals(again.assigned), "rebalances", first.rebalances - rebalances, "instances", describe("consumers-static").members().stream().map(member -> member.groupInstanceId().orElse("") + " " + member.assignment().topicPartitions().size()).sorted().collect(Collectors.toList()));
        }
      }
    });
    step("a second consumer of the same instance id is refused while the first lives", () -> {
      try (Member first = member("shared", "group.id", "consumers-taken", "group.instance.id", "one")) {
        first.until(() -> first.assigned.size() == PARTITIONS);
        try (Member second = member("shared", "group.id", "consumers-taken", "group.instance.id", "one")) {
          AdminStory.eventually(() -> second.error != null);
          return List.of(first.assigned.size(), first.error == null, second.error.getClass().getSimpleName());
        }
      }
    });
  }

  private void patterns() {
    step("a pattern finds topics that are made later, and partitions that are added", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "consumers-pattern")) {
        consumer.subscribe(new SubscriptionPattern("found-.*"));
        List<Object> sizes = new ArrayList<>();
        for (Callable<?> change : List.<Callable<?>>of(
            () -> admin.createTopics(List.of(new NewTopic("found-a", 1, (short) 1), new NewTopic("not-found-a", 1, (short) 1))).all().get(),
            () -> admin.createTopics(List.of(new NewTopic("found-b", 2, (short) 1))).all().get(),
            () -> admin.createPartitions(Map.of("found-a", NewPartitions.increaseTo(4))).all().get())) {
          change.call();
          int wanted = new int[] {1, 3, 6}[sizes.size()];
          long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(18);
          while (consumer.assignment().size() != wanted && System.nanoTime() < end) consumer.poll(Duration.ofMillis(50));
          sizes.add(consumer.assignment().size());
        }
        return sizes;
      }
    });
    step("a pattern that is none, and an assignor that the broker does not have", () -> {
      try (KafkaConsumer<byte[], byte[]> wrong = consumer("group.id", "consumers-wrong"); KafkaConsumer<byte[], byte[]> sticky = consumer("group.id", "consumers-sticky", "group.remote.assignor", "sticky")) {
        wrong.subscribe(new SubscriptionPattern("(a"));
        sticky.subscribe(List.of("shared"));
        return map("pattern", pollError(wrong), "assignor", pollError(sticky));
      }
    });
  }

  private void administering() {
    step("what administrators see of a group, and may do to it, while it has members and after", () -> {
      Map<String, Object> seen = new TreeMap<>();
      try (Member member = member("shared", "group.id", "consumers-admin", "client.id", "me")) {
        member.until(() -> member.assigned.size() == PARTITIONS && member.read.size() >= RECORDS);
        ConsumerGroupDescription group = describe("consumers-admin");
        MemberDescription one = group.members().iterator().next();
        seen.put("group", List.of(group.type().toString(), group.groupState().toString(), group.partitionAssignor(), group.isSimpleConsumerGroup(), group.groupEpoch().equals(group.targetAssignmentEpoch()), group.groupEpoch().equals(one.memberEpoch())));
        seen.put("member", List.of(one.clientId(), one.host(), one.assignment().topicPartitions().size(), one.targetAssignment().get().topicPartitions().size(), String.valueOf(one.upgraded().orElse(null))));
        seen.put("classic description", thrown(() -> admin.describeClassicGroups(List.of("consumers-admin")).all().get()));
        seen.put("listed", admin.listGroups(new ListGroupsOptions().withTypes(Set.of(GroupType.CONSUMER))).all().get().stream().filter(listing -> listing.groupId().equals("consumers-admin")).map(listing -> listing.protocol() + " " + listing.groupState().get()).collect(Collectors.toList()));
        seen.put("live: delete", thrown(() -> admin.deleteConsumerGroups(List.of("consumers-admin")).all().get()));
        seen.put("live: delete offsets", thrown(() -> admin.deleteConsumerGroupOffsets("consumers-admin", Set.of(new TopicPartition("shared", 0))).all().get()));
        seen.put("live: alter offsets", thrown(() -> admin.alterConsumerGroupOffsets("consumers-admin", Map.of(new TopicPartition("shared", 0), new OffsetAndMetadata(1))).all().get()));
      }
      seen.put("left", List.of(describe("consumers-admin").groupState().toString(), describe("consumers-admin").type().toString()));
      seen.put("empty: alter offsets", thrown(() -> admin.alterConsumerGroupOffsets("consumers-admin", Map.of(new TopicPartition("shared", 0), new OffsetAndMetadata(1))).all().get()));
      seen.put("empty: delete offsets", thrown(() -> admin.deleteConsumerGroupOffsets("consumers-admin", Set.of(new TopicPartition("shared", 0))).all().get()));
      seen.put("empty: delete", thrown(() -> admin.deleteConsumerGroups(List.of("consumers-admin")).all().get()));
      seen.put("gone", thrown(() -> describe("consumers-admin")));
      return seen;
    });
    step("listGroups and describeConsumerGroups of a group that the broker assigns", () -> {
      try (Member one = member("shared", "group.id", "consumers-described", "client.id", "me", "group.instance.id", "mine")) {
        one.until(() -> one.assigned.size() == PARTITIONS);
        ConsumerGroupDescription group = describe("consumers-described");
        MemberDescription member = group.members().iterator().next();
        return map("listed", admin.listGroups(new ListGroupsOptions().withTypes(Set.of(GroupType.CONSUMER))).all().get().stream().filter(listing -> listing.groupId().equals("consumers-described")).map(listing -> List.of(listing.type().get().toString(), listing.protocol(), listing.groupState().get().toString())).collect(Collectors.toList()),
            "group", List.of(group.groupState().toString(), group.type().toString(), group.partitionAssignor(), group.groupEpoch().isPresent(), group.targetAssignmentEpoch().isPresent(), group.coordinator().id()),
            "member", List.of(member.clientId(), member.host(), member.groupInstanceId().orElse(""), member.assignment().topicPartitions().size(), member.targetAssignment().map(target -> target.topicPartitions().size()).orElse(-1), member.memberEpoch().isPresent(), member.upgraded().orElse(false)),
            "alter offsets", thrown(() -> admin.alterConsumerGroupOffsets("consumers-described", Map.of(new TopicPartition("shared", 0), new OffsetAndMetadata(1))).all().get()),
            "delete offsets", thrown(() -> admin.deleteConsumerGroupOffsets("consumers-described", Set.of(new TopicPartition("shared", 0))).all().get()),
            "delete", thrown(() -> admin.deleteConsumerGroups(List.of("consumers-described")).all().get()),
            "remove a stranger", thrown(() -> admin.removeMembersFromConsumerGroup("consumers-described", new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("nobody")))).all().get()));
      }
    });
    step("an empty group that the broker assigned: described, its offsets set, deleted", () -> {
      ConsumerGroupDescription empty = describe("consumers-uniform");
      admin.alterConsumerGroupOffsets("consumers-uniform", Map.of(new TopicPartition("shared-uniform", 0), new OffsetAndMetadata(3))).all().get();
      long offset = admin.listConsumerGroupOffsets("consumers-uniform").partitionsToOffsetAndMetadata().get().get(new TopicPartition("shared-uniform", 0)).offset();
      return List.of(empty.groupState().toString(), empty.type().toString(), empty.members().size(), offset, thrown(() -> admin.deleteConsumerGroups(List.of("consumers-uniform")).all().get()), thrown(() -> describe("consumers-uniform")));
    });
    step("an empty group changes its protocol and keeps its offsets", () -> {
      TopicPartition partition = new TopicPartition("shared", 0);
      List<Object> seen = new ArrayList<>();
      for (String protocol : List.of("classic", "consumer", "classic")) {
        try (Member member = member("shared", "group.id", "consumers-changing", "group.protocol", protocol)) {
          member.until(() -> member.assigned.size() == PARTITIONS);
          seen.add(describe("consumers-changing").type().toString());
          if (seen.size() == 1) member.until(() -> member.read.size() >= RECORDS);
          else seen.add(member.read.size());
        }
        seen.add(admin.listConsumerGroupOffsets("consumers-changing").partitionsToOffsetAndMetadata().get().get(partition) != null);
      }
      return seen;
    });
  }

  private void transactions() {
    step("offsets in a transaction, with the member's epoch and with one of the past", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "consumers-transactions"); KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(with("transactional.id", "consumers-transactions"), new ByteArraySerializer(), new ByteArraySerializer())) {
        consumer.subscribe(List.of("shared"));
        ClientsStory.poll(consumer, 1);
        producer.initTransactions();
        producer.beginTransaction();
        producer.sendOffsetsToTransaction(Map.of(new TopicPartition("shared", 0), new OffsetAndMetadata(3)), consumer.groupMetadata());
        producer.commitTransaction();
        // The transaction's marker may be there a little later than the answer.
        Callable<OffsetAndMetadata> stable = () -> admin.listConsumerGroupOffsets("consumers-transactions", new ListConsumerGroupOffsetsOptions().requireStable(true)).partitionsToOffsetAndMetadata().get().get(new TopicPartition("shared", 0));
        AdminStory.eventually(() -> stable.call() != null);
        long committed = stable.call().offset();
        producer.beginTransaction();
        String past = thrown(() -> {
          producer.sendOffsetsToTransaction(Map.of(new TopicPartition("shared", 0), new OffsetAndMetadata(9)), new ConsumerGroupMetadata("consumers-transactions", 77, consumer.groupMetadata().memberId(), Optional.empty()));
          return null;
        });
        producer.abortTransaction();
        return List.of(committed, past);
      }
    });
  }

  private void migration() {
    step("a group moves from one protocol to the other while its members work", () -> {
      Member classic = member("shared", "group.id", "consumers-moves", "group.protocol", "classic", "heartbeat.interval.ms", 200);
      List<Object> types = new ArrayList<>();
      try (classic) {
        classic.until(() -> classic.assigned.size() == PARTITIONS);
        types.add(describe("consumers-moves").type().toString());
        try (Member modern = member("shared", "group.id", "consumers-moves")) {
          modern.until(() -> modern.assigned.size() == 2 && classic.assigned.size() == 2);
          types.add(describe("consumers-moves").type().toString());
          types.add(describe("consumers-moves").members().stream().map(member -> String.valueOf(member.upgraded().orElse(null))).sorted().collect(Collectors.toList()));
          classic.close();
          modern.until(() -> modern.assigned.size() == PARTITIONS);
          types.add(List.of(modern.assigned.size(), union(classic, modern).size()));
        }
      }
      return types;
    });
    for (String classicAssignor : List.of("org.apache.kafka.clients.consumer.RangeAssignor", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor")) movingOneByOne(classicAssignor);
  }

  private void movingOneByOne(String assignor) {
    String name = assignor.substring(assignor.lastIndexOf('.') + 1);
    step("members go over to the new protocol one by one, and back, and every record is read (" + name + ")", () -> {
      String group = "consumers-moves-" + name;
      Object[] classic = {"group.id", group, "group.protocol", "classic", "heartbeat.interval.ms", 200, "partition.assignment.strategy", assignor};
      Object[] modern = {"group.id", group};
      List<Object> types = new ArrayList<>();
      Set<String> read = new TreeSet<>();
      Member staying = member("shared", classic);
      Member other = member("shared", classic);
      for (Object[] next : List.of(modern, modern, classic, classic)) {
        Member one = staying;
        Member two = other;
        two.until(() -> one.assigned.size() == 2 && two.assigned.size() == 2 && Collections.disjoint(one.assigned, two.assigned));
        types.add(describe(group).type().toString());
        staying.close();
        read.addAll(List.copyOf(staying.read));
        staying = other;
        other = member("shared", next);
      }
      Member one = staying;
      Member two = other;
      two.until(() -> one.assigned.size() == 2 && two.assigned.size() == 2);
      types.add(describe(group).type().toString());
      types.add(describe(group).groupState().toString());
      one.close();
      two.until(() -> two.assigned.size() == PARTITIONS);
      two.until(() -> { Set<String> all = new TreeSet<>(read); all.addAll(union(one, two)); return all.size() == RECORDS; });
      two.close();
      types.add(describe(group).groupState().toString());
      types.add(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().values().stream().mapToLong(OffsetAndMetadata::offset).sum());
      return types;
    });
  }

  private ConsumerGroupDescription describe(String group) throws Exception {
    return admin.describeConsumerGroups(List.of(group)).all().get().get(group);
  }

  private static String pollError(KafkaConsumer<byte[], byte[]> consumer) {
    return thrown(() -> { for (int i = 0; i < 100; i++) consumer.poll(Duration.ofMillis(100)); return null; });
  }

  private static Set<String> union(Member first, Member second) {
    Set<String> all = new TreeSet<>(List.copyOf(first.read));
    all.addAll(List.copyOf(second.read));
    return all;
  }

  /** As many to each partition. */
  private void write(String topic, int count) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(with(), new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int i = 0; i < count; i++) producer.send(new ProducerRecord<>(topic, i % PARTITIONS, null, new byte[] {1}));
    }
  }

  private Member member(String topic, Object... settings) {
    return new Member(consumer(settings), List.of(topic));
  }

  private KafkaConsumer<byte[], byte[]> consumer(Object... settings) {
    Map<String, Object> all = with("group.protocol", "consumer", "auto.offset.reset", "earliest", "enable.auto.commit", false);
    for (int i = 0; i < settings.length; i += 2) all.put((String) settings[i], settings[i + 1]);
    return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }
}
