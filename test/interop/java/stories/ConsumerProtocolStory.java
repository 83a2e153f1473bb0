import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Consumers whose groups the broker assigns itself (group.protocol=consumer, KIP-848), and the administrator of such groups. */
public class ConsumerProtocolStory extends Story {
  private static final int PARTITIONS = 4;
  private static final int RECORDS = 200;
  private Admin admin;

  @Override
  void tell() throws Exception {
    try (Admin opened = Admin.create(with("default.api.timeout.ms", 15_000, "request.timeout.ms", 10_000))) {
      admin = opened;
      admin.createTopics(List.of(new NewTopic("protocol", PARTITIONS, (short) 1), new NewTopic("protocol-other", 2, (short) 1))).all().get();
      try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(with(), new ByteArraySerializer(), new ByteArraySerializer())) {
        for (int i = 0; i < RECORDS; i++) producer.send(ClientsStory.record("protocol", i % PARTITIONS, i));
      }
      for (String assignor : List.of("uniform", "range")) sharing(assignor);
      membership();
      administering();
      migration();
    }
  }

  private void sharing(String assignor) {
    step("two members share, one leaves, every record is read once (" + assignor + ")", () -> {
      Object[] settings = {"group.id", "protocol-" + assignor, "group.remote.assignor", assignor, "auto.offset.reset", "earliest", "max.poll.records", 7, "enable.auto.commit", false};
      try (Member first = member(List.of("protocol"), settings)) {
        first.until(() -> first.assigned.size() == PARTITIONS);
        List<Object> shares = new ArrayList<>(List.of(first.assigned.size()));
        Member second = member(List.of("protocol"), settings);
        try (second) {
          second.until(() -> first.assigned.size() == 2 && second.assigned.size() == 2);
          shares.add(List.of(first.assigned.size(), second.assigned.size()));
          second.until(() -> union(first, second).size() == RECORDS);
        }
        first.until(() -> first.assigned.size() == PARTITIONS);
        shares.add(first.assigned.size());
        shares.add(map("different", union(first, second).size(), "in all", first.read.size() + second.read.size(), "lost", first.lost + second.lost));
        return shares;
      }
    });
  }

  private void membership() {
    step("commits, which the next member finds", () -> {
      TopicPartition partition = new TopicPartition("protocol", 0);
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "protocol-commits", "enable.auto.commit", false)) {
        consumer.subscribe(List.of("protocol"));
        AdminStory.eventually(() -> { consumer.poll(Duration.ofMillis(50)); return consumer.assignment().size() == PARTITIONS; });
        consumer.commitSync(Map.of(partition, new OffsetAndMetadata(45, Optional.of(0), "what I know")));
      }
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "protocol-commits", "enable.auto.commit", false, "auto.offset.reset", "latest")) {
        consumer.subscribe(List.of("protocol"));
        AdminStory.eventually(() -> { consumer.poll(Duration.ofMillis(50)); return consumer.assignment().size() == PARTITIONS; });
        OffsetAndMetadata committed = consumer.committed(Set.of(partition)).get(partition);
        return List.of(committed.offset(), committed.metadata(), committed.leaderEpoch().orElse(-1), consumer.groupMetadata().generationId() > 0);
      }
    });
    step("a static member comes back to its partitions; a second one of its name is refused", () -> {
      Object[] settings = {"group.id", "protocol-static"};
      try (Member first = member(List.of("protocol"), and(settings, "group.instance.id", "one"))) {
        Set<TopicPartition> before;
        try (Member second = member(List.of("protocol"), and(settings, "group.instance.id", "two"))) {
          second.until(() -> first.assigned.size() == 2 && second.assigned.size() == 2);
          before = Set.copyOf(second.assigned);
        }
        try (Member again = member(List.of("protocol"), and(settings, "group.instance.id", "two"))) {
          again.until(() -> again.assigned.size() == 2);
          Member rival = member(List.of("protocol"), and(settings, "group.instance.id", "two"));
          rival.until(() -> rival.error != null);
          rival.close();
          return List.of(before.equals(again.assigned), first.assigned.size(), rival.error.getClass().getSimpleName());
        }
      }
    });
    step("a subscription by a pattern that the broker matches finds topics that are made later", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "protocol-pattern", "metadata.max.age.ms", 300)) {
        consumer.subscribe(new SubscriptionPattern("matched-[a-c]+"));
        List<Object> sizes = new ArrayList<>();
        admin.createTopics(List.of(new NewTopic("matched-a", 1, (short) 1), new NewTopic("matched-z", 1, (short) 1))).all().get();
        AdminStory.eventually(() -> { consumer.poll(Duration.ofMillis(100)); return consumer.assignment().size() == 1; });
        sizes.add(consumer.assignment().size());
        return sizes;
      }
    });
    step("a pattern that is none", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "protocol-no-pattern")) {
        consumer.subscribe(new SubscriptionPattern("(["));
        return thrown(() -> { for (int i = 0; i < 50; i++) consumer.poll(Duration.ofMillis(100)); return null; });
      }
    });
    step("an assignor that the broker does not have", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "protocol-no-assignor", "group.remote.assignor", "fancy")) {
        consumer.subscribe(List.of("protocol"));
        return thrown(() -> { for (int i = 0; i < 50; i++) consumer.poll(Duration.ofMillis(100)); return null; });
      }
    });
  }

  private void administering() {
    step("listGroups and describeConsumerGroups of a group that the broker assigns", () -> {
      try (Member one = member(List.of("protocol"), "group.id", "protocol-described", "client.id", "me", "group.instance.id", "mine")) {
        one.until(() -> one.assigned.size() == PARTITIONS);
        ConsumerGroupDescription group = describe("protocol-described");
        MemberDescription member = group.members().iterator().next();
        return map("listed", admin.listGroups(new ListGroupsOptions().withTypes(Set.of(GroupType.CONSUMER))).all().get().stream().filter(listing -> listing.groupId().equals("protocol-described")).map(listing -> List.of(listing.type().get().toString(), listing.protocol(), listing.groupState().get().toString())).collect(Collectors.toList()),
            "group", List.of(group.groupState().toString(), group.type().toString(), group.partitionAssignor(), group.groupEpoch().isPresent(), group.targetAssignmentEpoch().isPresent(), group.coordinator().id()),
            "member", List.of(member.clientId(), member.host(), member.groupInstanceId().orElse(""), member.assignment().topicPartitions().size(), member.targetAssignment().map(target -> target.topicPartitions().size()).orElse(-1), member.memberEpoch().isPresent(), member.upgraded().orElse(false)),
            "alter offsets", thrown(() -> admin.alterConsumerGroupOffsets("protocol-described", Map.of(new TopicPartition("protocol", 0), new OffsetAndMetadata(1))).all().get()),
            "delete offsets", thrown(() -> admin.deleteConsumerGroupOffsets("protocol-described", Set.of(new TopicPartition("protocol", 0))).all().get()),
            "delete", thrown(() -> admin.deleteConsumerGroups(List.of("protocol-described")).all().get()),
            "remove a stranger", thrown(() -> admin.removeMembersFromConsumerGroup("protocol-described", new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("nobody")))).all().get()));
      }
    });
    step("an empty group that the broker assigned: described, its offsets set, deleted", () -> {
      ConsumerGroupDescription empty = describe("protocol-uniform");
      admin.alterConsumerGroupOffsets("protocol-uniform", Map.of(new TopicPartition("protocol", 0), new OffsetAndMetadata(3))).all().get();
      long offset = admin.listConsumerGroupOffsets("protocol-uniform").partitionsToOffsetAndMetadata().get().get(new TopicPartition("protocol", 0)).offset();
      return List.of(empty.groupState().toString(), empty.type().toString(), empty.members().size(), offset, thrown(() -> admin.deleteConsumerGroups(List.of("protocol-uniform")).all().get()), thrown(() -> describe("protocol-uniform")));
    });
  }

  private void migration() {
    step("a group moves from one protocol to the other while its members work", () -> {
      Object[] settings = {"group.id", "protocol-moves", "auto.offset.reset", "earliest"};
      Member classic = new Member(new KafkaConsumer<>(with(and(settings, "heartbeat.interval.ms", 200)), new ByteArrayDeserializer(), new ByteArrayDeserializer()), List.of("protocol"));
      List<Object> types = new ArrayList<>();
      try (classic) {
        classic.until(() -> classic.assigned.size() == PARTITIONS);
        types.add(describe("protocol-moves").type().toString());
        try (Member modern = member(List.of("protocol"), settings)) {
          modern.until(() -> modern.assigned.size() == 2 && classic.assigned.size() == 2);
          types.add(describe("protocol-moves").type().toString());
          types.add(describe("protocol-moves").members().stream().map(member -> String.valueOf(member.upgraded().orElse(null))).sorted().collect(Collectors.toList()));
          classic.close();
          modern.until(() -> modern.assigned.size() == PARTITIONS);
          types.add(List.of(modern.assigned.size(), union(classic, modern).size()));
        }
      }
      return types;
    });
  }

  private Member member(List<String> topics, Object... settings) {
    return new Member(consumer(settings), topics);
  }

  private KafkaConsumer<byte[], byte[]> consumer(Object... settings) {
    return new KafkaConsumer<>(with(and(settings, "group.protocol", "consumer")), new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private ConsumerGroupDescription describe(String group) throws Exception {
    return admin.describeConsumerGroups(List.of(group)).all().get().get(group);
  }

  private static Object[] and(Object[] settings, Object... more) {
    Object[] all = Arrays.copyOf(settings, settings.length + more.length);
    System.arraycopy(more, 0, all, settings.length, more.length);
    return all;
  }

  private static Set<String> union(Member first, Member second) {
    Set<String> union = new TreeSet<>(first.read);
    union.addAll(second.read);
    return union;
  }
}
