import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Consumers in classic groups, and the administrator of groups. */
public class GroupsStory extends Story {
  private static final int PARTITIONS = 4;
  private static final int RECORDS = 200;
  private Admin admin;

  @Override
  void tell() throws Exception {
    try (Admin opened = Admin.create(with("default.api.timeout.ms", 15_000, "request.timeout.ms", 10_000))) {
      admin = opened;
      admin.createTopics(List.of(new NewTopic("groups", PARTITIONS, (short) 1), new NewTopic("groups-other", 2, (short) 1))).all().get();
      write("groups", RECORDS);
      write("groups-other", 10);
      for (String assignor : List.of("Range", "RoundRobin", "Sticky", "CooperativeSticky")) sharing(assignor);
      committing();
      membership();
      administering();
      refusals();
    }
  }

  private void sharing(String assignor) {
    step("two members share, one leaves, every record is read once (" + assignor + ")", () -> {
      String group = "groups-" + assignor;
      Object[] settings = {"group.id", group, "partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor + "Assignor", "auto.offset.reset", "earliest", "max.poll.records", 7, "enable.auto.commit", false};
      try (Member first = member(List.of("groups"), settings)) {
        first.until(() -> first.assigned.size() == PARTITIONS);
        List<Object> shares = new ArrayList<>(List.of(first.assigned.size()));
        Member second = member(List.of("groups"), settings);
        try (second) {
          second.until(() -> first.assigned.size() == 2 && second.assigned.size() == 2);
          shares.add(List.of(first.assigned.size(), second.assigned.size(), disjoint(first, second)));
          second.until(() -> union(first, second).size() == RECORDS);
        }
        first.until(() -> first.assigned.size() == PARTITIONS);
        shares.add(first.assigned.size());
        shares.add(Map.of("different", union(first, second).size(), "in all", first.read.size() + second.read.size(), "lost", first.lost + second.lost));
        return shares;
      }
    });
  }

  private void committing() {
    TopicPartition partition = new TopicPartition("groups", 0);
    step("commitSync, commitAsync, committed: offset, metadata and leader epoch", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "groups-commits", "enable.auto.commit", false)) {
        consumer.assign(List.of(partition));
        consumer.commitSync(Map.of(partition, new OffsetAndMetadata(5, Optional.of(0), "what I know ü")));
        OffsetAndMetadata one = consumer.committed(Set.of(partition)).get(partition);
        CountDownLatch done = new CountDownLatch(1);
        consumer.commitAsync(Map.of(partition, new OffsetAndMetadata(6)), (offsets, error) -> done.countDown());
        for (int i = 0; i < 100 && done.getCount() > 0; i++) consumer.poll(Duration.ofMillis(50));
        OffsetAndMetadata two = consumer.committed(Set.of(partition)).get(partition);
        return List.of(one.offset(), one.metadata(), one.leaderEpoch().orElse(-1), two.offset(), two.metadata(), two.leaderEpoch().orElse(-1), consumer.committed(Set.of(new TopicPartition("groups", 1))).get(new TopicPartition("groups", 1)) == null);
      }
    });
    step("another member goes on where the group committed", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "groups-commits", "auto.offset.reset", "latest", "enable.auto.commit", false)) {
        consumer.subscribe(List.of("groups"));
        List<ConsumerRecord<byte[], byte[]>> read = ClientsStory.poll(consumer, 1);
        return List.of(read.get(0).partition(), read.get(0).offset());
      }
    });
    step("a commit of too much metadata, and of a partition that is not there", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "groups-commits", "default.api.timeout.ms", 700, "request.timeout.ms", 600, "enable.auto.commit", false)) {
        consumer.assign(List.of(partition));
        return map(
            "4096 bytes", thrown(() -> { consumer.commitSync(Map.of(partition, new OffsetAndMetadata(1, "m".repeat(4096)))); return null; }),
            "4097 bytes", thrown(() -> { consumer.commitSync(Map.of(partition, new OffsetAndMetadata(1, "m".repeat(4097)))); return null; }),
            "no partition", thrown(() -> { consumer.commitSync(Map.of(new TopicPartition("groups", 77), new OffsetAndMetadata(1))); return null; }),
            "no topic", thrown(() -> { consumer.commitSync(Map.of(new TopicPartition("groups-absent", 0), new OffsetAndMetadata(1))); return null; }));
      }
    });
    step("auto-commit commits as the consumer closes", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "groups-auto", "auto.offset.reset", "earliest", "enable.auto.commit", true)) {
        consumer.subscribe(List.of("groups-other"));
        ClientsStory.poll(consumer, 10);
      }
      return offsetsOf("groups-auto");
    });
    step("nothing committed and auto.offset.reset=none", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "groups-none", "auto.offset.reset", "none")) {
        consumer.subscribe(List.of("groups"));
        return thrown(() -> { for (int i = 0; i < 50; i++) consumer.poll(Duration.ofMillis(100)); return null; });
      }
    });
  }

  private void membership() {
    step("a static member comes back to its partitions without a rebalance", () -> {
      Object[] one = {"group.id", "groups-static", "group.instance.id", "one", "session.timeout.ms", 20_000};
      Object[] two = {"group.id", "groups-static", "group.instance.id", "two", "session.timeout.ms", 20_000};
      try (Member first = member(List.of("groups"), one)) {
        Set<TopicPartition> before;
        try (Member second = member(List.of("groups"), two)) {
          second.until(() -> first.assigned.size() == 2 && second.assigned.size() == 2);
          before = Set.copyOf(second.assigned);
        }
        int rebalances = first.rebalances;
        try (Member again = member(List.of("groups"), two)) {
          again.until(() -> again.assigned.size() == 2);
          ConsumerGroupDescription description = describe("groups-static");
          return map("same", before.equals(again.assigned), "rebalances", first.rebalances - rebalances, "members", description.members().stream().map(member -> member.groupInstanceId().orElse("") + " " + member.assignment().topicPartitions().size()).sorted().collect(Collectors.toList()));
        }
      }
    });
    step("a second consumer of the same instance id fences the first", () -> {
      Object[] settings = {"group.id", "groups-fenced", "group.instance.id", "one", "session.timeout.ms", 20_000};
      Member first = member(List.of("groups"), settings);
      first.until(() -> first.assigned.size() == PARTITIONS);
      try (Member second = member(List.of("groups"), settings)) {
        second.until(() -> second.assigned.size() == PARTITIONS && first.error != null);
        return List.of(second.assigned.size(), first.error.getClass().getSimpleName());
      } finally {
        first.close();
      }
    });
    step("members that subscribe to different topics each get theirs", () -> {
      try (Member first = member(List.of("groups"), "group.id", "groups-different"); Member second = member(List.of("groups-other"), "group.id", "groups-different")) {
        second.until(() -> first.assigned.size() == PARTITIONS && second.assigned.size() == 2);
        return List.of(first.assigned.size(), second.assigned.size());
      }
    });
    step("a subscription by pattern finds topics that are made later, and partitions that are added", () -> {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", "groups-pattern", "metadata.max.age.ms", 300)) {
        consumer.subscribe(Pattern.compile("pattern-.*"));
        List<Object> sizes = new ArrayList<>();
        admin.createTopics(List.of(new NewTopic("pattern-a", 1, (short) 1))).all().get();
        AdminStory.eventually(() -> { consumer.poll(Duration.ofMillis(50)); return consumer.assignment().size() == 1; });
        sizes.add(consumer.assignment().size());
        admin.createTopics(List.of(new NewTopic("pattern-b", 2, (short) 1))).all().get();
        AdminStory.eventually(() -> { consumer.poll(Duration.ofMillis(50)); return consumer.assignment().size() == 3; });
        sizes.add(consumer.assignment().size());
        admin.createPartitions(Map.of("pattern-a", NewPartitions.increaseTo(4))).all().get();
        AdminStory.eventually(() -> { consumer.poll(Duration.ofMillis(50)); return consumer.assignment().size() == 6; });
        sizes.add(consumer.assignment().size());
        return sizes;
      }
    });
    step("a member that stops polling leaves, and hears of it when it commits", () -> {
      Object[] slow = {"group.id", "groups-slow", "max.poll.interval.ms", 600, "heartbeat.interval.ms", 200, "enable.auto.commit", false, "auto.offset.reset", "earliest"};
      try (KafkaConsumer<byte[], byte[]> consumer = consumer(slow)) {
        consumer.subscribe(List.of("groups"));
        ClientsStory.poll(consumer, 1);
        AdminStory.eventually(() -> describe("groups-slow").members().isEmpty());
        return List.of(describe("groups-slow").groupState().toString(), thrown(() -> { consumer.commitSync(); return null; }));
      }
    });
    step("a member that closes is gone at once", () -> {
      Member member = member(List.of("groups"), "group.id", "groups-dead", "session.timeout.ms", 6_000);
      member.until(() -> member.assigned.size() == PARTITIONS);
      String during = describe("groups-dead").groupState().toString();
      member.close();
      return List.of(during, describe("groups-dead").groupState().toString());
    });
    step("members without a protocol in common, and session timeouts out of bounds", () -> {
      try (Member first = member(List.of("groups"), "group.id", "groups-protocols", "partition.assignment.strategy", "org.apache.kafka.clients.consumer.RangeAssignor")) {
        first.until(() -> first.assigned.size() == PARTITIONS);
        Map<String, Object> errors = new LinkedHashMap<>();
        errors.put("protocol", joinError("group.id", "groups-protocols", "partition.assignment.strategy", "org.apache.kafka.clients.consumer.StickyAssignor"));
        errors.put("short", joinError("group.id", "groups-sessions", "session.timeout.ms", 1_000, "heartbeat.interval.ms", 300));
        errors.put("long", joinError("group.id", "groups-sessions", "session.timeout.ms", 1_800_001, "max.poll.interval.ms", 1_800_002));
        errors.put("no group", thrown(() -> consumer().poll(Duration.ofMillis(100))));
        return errors;
      }
    });
  }

  private void administering() {
    step("listGroups: states, types and protocols", () -> {
      Map<String, Object> listed = new TreeMap<>();
      for (GroupListing listing : admin.listGroups().all().get()) if (Set.of("groups-auto", "groups-Range", "groups-commits").contains(listing.groupId())) listed.put(listing.groupId(), List.of(listing.type().get().toString(), listing.protocol(), listing.groupState().get().toString()));
      return map("all", listed,
          "stable", count(ListGroupsOptions.forConsumerGroups().inGroupStates(Set.of(GroupState.STABLE))),
          "empty", count(ListGroupsOptions.forConsumerGroups().inGroupStates(Set.of(GroupState.EMPTY))) > 3,
          "classic", count(new ListGroupsOptions().withTypes(Set.of(GroupType.CLASSIC))) > 3,
          "consumer", count(new ListGroupsOptions().withTypes(Set.of(GroupType.CONSUMER))),
          "consumer groups", admin.listGroups(ListGroupsOptions.forConsumerGroups()).all().get().size() > 3);
    });
    step("describeConsumerGroups: state, coordinator, assignor and members", () -> {
      try (Member member = member(List.of("groups"), "group.id", "groups-described", "client.id", "me")) {
        member.until(() -> member.assigned.size() == PARTITIONS);
        ConsumerGroupDescription stable = admin.describeConsumerGroups(List.of("groups-described"), new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true)).all().get().get("groups-described");
        MemberDescription one = stable.members().iterator().next();
        return map("state", stable.groupState().toString(), "type", stable.type().toString(), "assignor", stable.partitionAssignor(), "simple", stable.isSimpleConsumerGroup(), "coordinator", stable.coordinator().id(), "operations", stable.authorizedOperations() == null ? "null" : stable.authorizedOperations().stream().map(Enum::name).sorted().collect(Collectors.toList()),
            "member", List.of(one.clientId(), one.host(), one.assignment().topicPartitions().size(), one.consumerId().startsWith("me-"), one.groupInstanceId().isPresent()));
      }
    });
    step("describeConsumerGroups of an empty group and of none", () -> {
      ConsumerGroupDescription empty = describe("groups-auto");
      return map("empty", List.of(empty.groupState().toString(), empty.members().size(), empty.partitionAssignor()), "absent", thrown(() -> describe("groups-absent")), "classic absent", thrown(() -> admin.describeClassicGroups(List.of("groups-absent")).all().get()));
    });
    step("listConsumerGroupOffsets: of all partitions, of some, of several groups, of none", () -> map(
        "all", offsetsOf("groups-auto"),
        "some", admin.listConsumerGroupOffsets("groups-auto", new ListConsumerGroupOffsetsOptions()).partitionsToOffsetAndMetadata().get().size(),
        "asked", String.valueOf(admin.listConsumerGroupOffsets(Map.of("groups-auto", new ListConsumerGroupOffsetsSpec().topicPartitions(List.of(new TopicPartition("groups-other", 0), new TopicPartition("groups", 3)))), new ListConsumerGroupOffsetsOptions().requireStable(true)).partitionsToOffsetAndMetadata("groups-auto").get().get(new TopicPartition("groups", 3))),
        "two groups", admin.listConsumerGroupOffsets(Map.of("groups-auto", new ListConsumerGroupOffsetsSpec(), "groups-commits", new ListConsumerGroupOffsetsSpec())).all().get().keySet().size(),
        "absent", admin.listConsumerGroupOffsets("groups-absent").partitionsToOffsetAndMetadata().get().size()));
    step("alterConsumerGroupOffsets of an empty group, of one that is not there, and of one with members", () -> {
      admin.alterConsumerGroupOffsets("groups-auto", Map.of(new TopicPartition("groups-other", 1), new OffsetAndMetadata(2, "set"))).all().get();
      admin.alterConsumerGroupOffsets("groups-set", Map.of(new TopicPartition("groups-other", 0), new OffsetAndMetadata(3))).all().get();
      AlterConsumerGroupOffsetsResult absent = admin.alterConsumerGroupOffsets("groups-set", Map.of(new TopicPartition("groups-absent", 0), new OffsetAndMetadata(3)));
      try (Member member = member(List.of("groups"), "group.id", "groups-busy")) {
        member.until(() -> member.assigned.size() == PARTITIONS);
        return map("empty", offsetsOf("groups-auto"), "new", offsetsOf("groups-set"), "state", describe("groups-set").groupState().toString(), "simple", describe("groups-set").isSimpleConsumerGroup(), "of no topic", thrown(() -> absent.all().get()), "with members", thrown(() -> admin.alterConsumerGroupOffsets("groups-busy", Map.of(new TopicPartition("groups", 0), new OffsetAndMetadata(3))).all().get()),
            "delete offsets with members", thrown(() -> admin.deleteConsumerGroupOffsets("groups-busy", Set.of(new TopicPartition("groups", 0))).all().get()),
            "delete other offsets with members", thrown(() -> admin.deleteConsumerGroupOffsets("groups-busy", Set.of(new TopicPartition("groups-other", 0))).all().get()),
            "delete with members", thrown(() -> admin.deleteConsumerGroups(List.of("groups-busy")).all().get()));
      }
    });
    step("deleteConsumerGroupOffsets", () -> {
      DeleteConsumerGroupOffsetsResult deleted = admin.deleteConsumerGroupOffsets("groups-auto", Set.of(new TopicPartition("groups-other", 0), new TopicPartition("groups", 99)));
      return map("there", thrown(() -> deleted.partitionResult(new TopicPartition("groups-other", 0)).get()), "not there", thrown(() -> deleted.partitionResult(new TopicPartition("groups", 99)).get()), "left", offsetsOf("groups-auto"), "absent", thrown(() -> admin.deleteConsumerGroupOffsets("groups-absent", Set.of(new TopicPartition("groups", 0))).all().get()));
    });
    step("removeMembersFromConsumerGroup: a static member, one that is not there, and all", () -> {
      Object[] settings = {"group.id", "groups-removed", "session.timeout.ms", 20_000};
      Member kept = member(List.of("groups"), and(settings, "group.instance.id", "kept"));
      try (kept; Member removed = member(List.of("groups"), and(settings, "group.instance.id", "removed"))) {
        kept.until(() -> kept.assigned.size() == 2 && removed.assigned.size() == 2);
        String absent = thrown(() -> admin.removeMembersFromConsumerGroup("groups-removed", new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("nobody")))).all().get());
        removed.close(); // Which leaves its place in the group to whoever comes with its name.
        admin.removeMembersFromConsumerGroup("groups-removed", new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("removed")))).all().get();
        kept.until(() -> kept.assigned.size() == PARTITIONS);
        int left = describe("groups-removed").members().size();
        kept.close();
        admin.removeMembersFromConsumerGroup("groups-removed", new RemoveMembersFromConsumerGroupOptions()).all().get();
        return List.of(absent, left, describe("groups-removed").members().size(), describe("groups-removed").groupState().toString());
      }
    });
    step("deleteConsumerGroups", () -> {
      DeleteConsumerGroupsResult deleted = admin.deleteConsumerGroups(List.of("groups-commits", "groups-absent"));
      return map("there", thrown(() -> deleted.deletedGroups().get("groups-commits").get()), "absent", thrown(() -> deleted.deletedGroups().get("groups-absent").get()), "offsets", offsetsOf("groups-commits"), "listed", admin.listGroups().all().get().stream().anyMatch(listing -> listing.groupId().equals("groups-commits")));
    });
    step("offsets of a topic that is deleted are gone", () -> {
      admin.createTopics(List.of(new NewTopic("groups-doomed", 1, (short) 1))).all().get();
      admin.alterConsumerGroupOffsets("groups-auto", Map.of(new TopicPartition("groups-doomed", 0), new OffsetAndMetadata(0))).all().get();
      admin.deleteTopics(List.of("groups-doomed")).all().get();
      AdminStory.eventually(() -> !offsetsOf("groups-auto").toString().contains("doomed"));
      return offsetsOf("groups-auto");
    });
  }

  private void refusals() {
    step("a consumer outside a group's generation cannot commit into it", () -> {
      try (Member member = member(List.of("groups"), "group.id", "groups-outsider"); KafkaConsumer<byte[], byte[]> outsider = consumer("group.id", "groups-outsider")) {
        member.until(() -> member.assigned.size() == PARTITIONS);
        outsider.assign(List.of(new TopicPartition("groups", 0)));
        return thrown(() -> { outsider.commitSync(Map.of(new TopicPartition("groups", 0), new OffsetAndMetadata(1))); return null; });
      }
    });
  }

  private static Object[] and(Object[] settings, Object... more) {
    Object[] all = Arrays.copyOf(settings, settings.length + more.length);
    System.arraycopy(more, 0, all, settings.length, more.length);
    return all;
  }

  private String joinError(Object... settings) {
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(settings)) {
      consumer.subscribe(List.of("groups"));
      return thrown(() -> { for (int i = 0; i < 30; i++) consumer.poll(Duration.ofMillis(100)); return null; });
    }
  }

  private int count(ListGroupsOptions options) throws Exception {
    return (int) admin.listGroups(options).all().get().stream().filter(listing -> listing.groupId().startsWith("groups-")).count();
  }

  private ConsumerGroupDescription describe(String group) throws Exception {
    return admin.describeConsumerGroups(List.of(group)).all().get().get(group);
  }

  private Map<String, Object> offsetsOf(String group) throws Exception {
    Map<String, Object> offsets = new TreeMap<>();
    admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().forEach((partition, offset) -> offsets.put(partition.toString(), offset.offset() + offset.metadata()));
    return offsets;
  }

  private static boolean disjoint(Member first, Member second) {
    Set<TopicPartition> both = new HashSet<>(first.assigned);
    both.retainAll(second.assigned);
    return both.isEmpty();
  }

  private static Set<String> union(Member first, Member second) {
    Set<String> union = new TreeSet<>(first.read);
    union.addAll(second.read);
    return union;
  }

  private void write(String topic, int count) throws Exception {
    int partitions = topic.equals("groups") ? PARTITIONS : 2;
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(with(), new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int i = 0; i < count; i++) producer.send(ClientsStory.record(topic, i % partitions, i));
    }
  }

  private Member member(List<String> topics, Object... settings) {
    return new Member(consumer(and(new Object[] {"heartbeat.interval.ms", 200}, settings)), topics);
  }

  private KafkaConsumer<byte[], byte[]> consumer(Object... settings) {
    return new KafkaConsumer<>(with(settings), new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }
}
