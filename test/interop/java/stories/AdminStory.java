import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The administrator: topics, settings, records, offsets, and the cluster. */
public class AdminStory extends Story {
  private Admin admin;
  /** For questions that nobody answers: the client asks again until its time is up. */
  private Admin impatient;

  @Override
  void tell() throws Exception {
    try (Admin opened = Admin.create(with("default.api.timeout.ms", 15_000, "request.timeout.ms", 10_000)); Admin second = Admin.create(with("default.api.timeout.ms", 1_500, "request.timeout.ms", 1_000))) {
      admin = opened;
      impatient = second;
      creating();
      describing();
      configs();
      brokerConfigs();
      records();
      deleting();
      cluster();
      rarities();
    }
  }

  private void creating() {
    step("createTopics with partitions, replication and settings of its own", () -> {
      CreateTopicsResult made = admin.createTopics(List.of(new NewTopic("admin-own", 3, (short) 1).configs(Map.of("retention.ms", "1234567", "cleanup.policy", "compact,delete"))));
      Config config = made.config("admin-own").get();
      return map("partitions", made.numPartitions("admin-own").get(), "replication", made.replicationFactor("admin-own").get(), "id", !made.topicId("admin-own").get().equals(Uuid.ZERO_UUID), "retention", entry(config, "retention.ms"), "policy", entry(config, "cleanup.policy"), "segment", entry(config, "segment.bytes"));
    });
    step("createTopics with the broker's partitions and replication", () -> {
      CreateTopicsResult made = admin.createTopics(List.of(new NewTopic("admin-default", Optional.empty(), Optional.empty())));
      return List.of(made.numPartitions("admin-default").get(), made.replicationFactor("admin-default").get());
    });
    step("createTopics with replicas assigned by hand", () -> {
      admin.createTopics(List.of(new NewTopic("admin-assigned", Map.of(0, List.of(1), 1, List.of(1))))).all().get();
      return described("admin-assigned");
    });
    step("createTopics only to validate makes nothing", () -> {
      CreateTopicsResult made = admin.createTopics(List.of(new NewTopic("admin-validated", 2, (short) 1)), new CreateTopicsOptions().validateOnly(true));
      return map("partitions", made.numPartitions("admin-validated").get(), "then", thrown(() -> described("admin-validated")), "existing", thrown(() -> admin.createTopics(List.of(new NewTopic("admin-own", 1, (short) 1)), new CreateTopicsOptions().validateOnly(true)).all().get()));
    });
    step("createTopics refuses", () -> {
      Map<String, Object> refused = new LinkedHashMap<>();
      refused.put("one that exists", create(new NewTopic("admin-own", 1, (short) 1)));
      refused.put("a name with a space", create(new NewTopic("a b", 1, (short) 1)));
      refused.put("an empty name", create(new NewTopic("", 1, (short) 1)));
      refused.put("a dot", create(new NewTopic(".", 1, (short) 1)));
      refused.put("250 letters", create(new NewTopic("a".repeat(250), 1, (short) 1)));
      refused.put("249 letters", create(new NewTopic("a".repeat(249), 1, (short) 1)));
      refused.put("a name that collides in metrics", thrown(() -> { admin.createTopics(List.of(new NewTopic("admin.collides", 1, (short) 1))).all().get(); return admin.createTopics(List.of(new NewTopic("admin_collides", 1, (short) 1))).all().get(); }));
      refused.put("no partitions", create(new NewTopic("admin-none", 0, (short) 1)));
      refused.put("less than none", create(new NewTopic("admin-none", -2, (short) 1)));
      refused.put("no replicas", create(new NewTopic("admin-none", 1, (short) 0)));
      refused.put("more replicas than brokers", create(new NewTopic("admin-none", 1, (short) 2)));
      refused.put("a setting that does not exist", create(new NewTopic("admin-none", 1, (short) 1).configs(Map.of("no.such.setting", "1"))));
      refused.put("a value that is no number", create(new NewTopic("admin-none", 1, (short) 1).configs(Map.of("retention.ms", "soon"))));
      refused.put("a value out of range", create(new NewTopic("admin-none", 1, (short) 1).configs(Map.of("segment.bytes", "1"))));
      refused.put("a policy that does not exist", create(new NewTopic("admin-none", 1, (short) 1).configs(Map.of("cleanup.policy", "burn"))));
      refused.put("a setting without a value", create(new NewTopic("admin-none", 1, (short) 1).configs(new HashMap<>() {{ put("retention.ms", null); }})));
      refused.put("replicas on a broker that is not there", create(new NewTopic("admin-none", Map.of(0, List.of(99)))));
      refused.put("partitions with a gap", create(new NewTopic("admin-none", Map.of(0, List.of(1), 2, List.of(1)))));
      refused.put("a broker twice", create(new NewTopic("admin-none", Map.of(0, List.of(1, 1)))));
      refused.put("the internal topics", create(new NewTopic("__consumer_offsets", 1, (short) 1)));
      return refused;
    });
    step("createTopics answers each topic for itself", () -> {
      CreateTopicsResult made = admin.createTopics(List.of(new NewTopic("admin-each", 1, (short) 1), new NewTopic("admin-own", 1, (short) 1)));
      return map("admin-each", thrown(() -> made.values().get("admin-each").get()), "admin-own", thrown(() -> made.values().get("admin-own").get()));
    });
    step("createPartitions", () -> {
      Map<String, Object> answers = new LinkedHashMap<>();
      answers.put("only validated", thrown(() -> admin.createPartitions(Map.of("admin-default", NewPartitions.increaseTo(4)), new CreatePartitionsOptions().validateOnly(true)).all().get()));
      answers.put("still", described("admin-default"));
      answers.put("more", partitions("admin-default", NewPartitions.increaseTo(4)));
      answers.put("as many", partitions("admin-default", NewPartitions.increaseTo(4)));
      answers.put("fewer", partitions("admin-default", NewPartitions.increaseTo(2)));
      answers.put("assigned", partitions("admin-default", NewPartitions.increaseTo(5, List.of(List.of(1)))));
      answers.put("assigned to nobody", partitions("admin-default", NewPartitions.increaseTo(6, List.of(List.of(99)))));
      answers.put("assigned too few", partitions("admin-default", NewPartitions.increaseTo(8, List.of(List.of(1)))));
      answers.put("of no topic", partitions("admin-absent", NewPartitions.increaseTo(2)));
      answers.put("then", described("admin-default"));
      return answers;
    });
  }

  private void describing() {
    step("listTopics, with and without internal ones", () -> {
      admin.listConsumerGroupOffsets("admin-makes-the-offsets-topic").all().get();
      Collection<TopicListing> listings = admin.listTopics(new ListTopicsOptions().listInternal(true)).listings().get();
      return map("ours", listings.stream().map(TopicListing::name).filter(name -> name.startsWith("admin")).sorted().collect(Collectors.toList()), "ids", listings.stream().noneMatch(listing -> listing.topicId().equals(Uuid.ZERO_UUID)), "internal", admin.listTopics().listings().get().stream().anyMatch(TopicListing::isInternal));
    });
    step("describeTopics by name", () -> described("admin-own"));
    step("describeTopics by id", () -> {
      Uuid id = admin.describeTopics(List.of("admin-own")).allTopicNames().get().get("admin-own").topicId();
      TopicDescription byId = admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds().get().get(id);
      return List.of(byId.name(), byId.partitions().size(), byId.topicId().equals(id));
    });
    step("describeTopics in pages", () -> admin.describeTopics(TopicCollection.ofTopicNames(List.of("admin-own", "admin-default")), new DescribeTopicsOptions().partitionSizeLimitPerResponse(2)).allTopicNames().get().values().stream().map(description -> description.name() + " " + description.partitions().size()).sorted().collect(Collectors.toList()));
    step("describeTopics of what is not there, and with authorized operations", () -> map(
        "name", thrown(() -> described("admin-absent")),
        "invalid name", thrown(() -> described("no topic!")),
        "id", thrown(() -> admin.describeTopics(TopicCollection.ofTopicIds(List.of(Uuid.randomUuid()))).allTopicIds().get()),
        "operations", admin.describeTopics(List.of("admin-own"), new DescribeTopicsOptions().includeAuthorizedOperations(true)).allTopicNames().get().get("admin-own").authorizedOperations().stream().map(Enum::name).sorted().collect(Collectors.toList())));
  }

  private void configs() {
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "admin-own");
    step("describeConfigs of a topic: every setting, its value, source, type and synonyms", () -> {
      Config config = admin.describeConfigs(List.of(topic), new DescribeConfigsOptions().includeSynonyms(true)).all().get().get(topic);
      Map<String, Object> all = new TreeMap<>();
      for (ConfigEntry entry : config.entries()) {
        all.put(entry.name(), List.of(String.valueOf(entry.value()), entry.source().name(), entry.type().name(), entry.isReadOnly(), entry.isSensitive(), entry.synonyms().stream().map(synonym -> synonym.name() + "=" + synonym.value() + " " + synonym.source()).collect(Collectors.toList())));
      }
      return all;
    });
    step("describeConfigs with documentation", () -> {
      Config config = admin.describeConfigs(List.of(topic), new DescribeConfigsOptions().includeDocumentation(true)).all().get().get(topic);
      return config.entries().stream().filter(entry -> entry.documentation() == null || entry.documentation().isEmpty()).map(ConfigEntry::name).sorted().collect(Collectors.toList());
    });
    step("incrementalAlterConfigs: set, append, subtract, delete", () -> {
      List<Object> policies = new ArrayList<>();
      alter(topic, new AlterConfigOp(new ConfigEntry("retention.ms", "7000000"), AlterConfigOp.OpType.SET), new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.SUBTRACT));
      policies.add(List.of(entry(topic, "retention.ms"), entry(topic, "cleanup.policy")));
      alter(topic, new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND));
      policies.add(entry(topic, "cleanup.policy"));
      alter(topic, new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND));
      policies.add(entry(topic, "cleanup.policy"));
      alter(topic, new AlterConfigOp(new ConfigEntry("retention.ms", null), AlterConfigOp.OpType.DELETE), new AlterConfigOp(new ConfigEntry("cleanup.policy", null), AlterConfigOp.OpType.DELETE));
      policies.add(List.of(entry(topic, "retention.ms"), entry(topic, "cleanup.policy")));
      return policies;
    });
    step("incrementalAlterConfigs refuses, and then changes nothing", () -> {
      Map<String, Object> refused = new LinkedHashMap<>();
      refused.put("no such setting", thrown(() -> alter(topic, new AlterConfigOp(new ConfigEntry("no.such.setting", "1"), AlterConfigOp.OpType.SET))));
      refused.put("no number", thrown(() -> alter(topic, new AlterConfigOp(new ConfigEntry("segment.ms", "2000000"), AlterConfigOp.OpType.SET), new AlterConfigOp(new ConfigEntry("retention.ms", "soon"), AlterConfigOp.OpType.SET))));
      refused.put("append to a number", thrown(() -> alter(topic, new AlterConfigOp(new ConfigEntry("retention.ms", "1"), AlterConfigOp.OpType.APPEND))));
      refused.put("subtract what is not there", thrown(() -> alter(topic, new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.SUBTRACT))));
      refused.put("out of range", thrown(() -> alter(topic, new AlterConfigOp(new ConfigEntry("min.cleanable.dirty.ratio", "2"), AlterConfigOp.OpType.SET))));
      refused.put("unknown compression", thrown(() -> alter(topic, new AlterConfigOp(new ConfigEntry("compression.type", "brotli"), AlterConfigOp.OpType.SET))));
      refused.put("no such topic", thrown(() -> alter(new ConfigResource(ConfigResource.Type.TOPIC, "admin-absent"), new AlterConfigOp(new ConfigEntry("retention.ms", "1"), AlterConfigOp.OpType.SET))));
      refused.put("delete what was never set", thrown(() -> alter(topic, new AlterConfigOp(new ConfigEntry("flush.ms", null), AlterConfigOp.OpType.DELETE))));
      refused.put("the same twice", thrown(() -> alter(topic, new AlterConfigOp(new ConfigEntry("retention.ms", "1"), AlterConfigOp.OpType.SET), new AlterConfigOp(new ConfigEntry("retention.ms", "2"), AlterConfigOp.OpType.SET))));
      refused.put("remote storage", thrown(() -> alter(topic, new AlterConfigOp(new ConfigEntry("remote.storage.enable", "true"), AlterConfigOp.OpType.SET))));
      refused.put("still", List.of(entry(topic, "retention.ms"), entry(topic, "segment.ms")));
      return refused;
    });
    step("incrementalAlterConfigs only to validate", () -> {
      admin.incrementalAlterConfigs(Map.of(topic, List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "3000000"), AlterConfigOp.OpType.SET))), new AlterConfigsOptions().validateOnly(true)).all().get();
      return entry(topic, "retention.ms");
    });
    step("describeConfigs of what is not there", () -> map(
        "topic", thrown(() -> admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, "admin-absent"))).all().get()),
        "invalid topic", thrown(() -> admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, "no topic!"))).all().get()),
        "broker", thrown(() -> impatient.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.BROKER, "99"))).all().get()),
        "group", thrown(() -> admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.GROUP, "admin-absent"))).all().get())));
  }

  private void brokerConfigs() {
    ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
    ConfigResource everyBroker = new ConfigResource(ConfigResource.Type.BROKER, "");
    step("describeConfigs of a broker: what most people look for", () -> {
      Config config = admin.describeConfigs(List.of(broker)).all().get().get(broker);
      Map<String, Object> found = new TreeMap<>();
      for (String name : List.of("num.partitions", "default.replication.factor", "auto.create.topics.enable", "log.retention.ms", "log.retention.bytes", "log.segment.bytes", "message.max.bytes", "log.cleanup.policy", "compression.type", "min.insync.replicas", "group.initial.rebalance.delay.ms", "group.min.session.timeout.ms", "group.max.session.timeout.ms", "group.max.size", "offsets.retention.minutes", "offsets.topic.num.partitions", "offset.metadata.max.bytes", "transaction.max.timeout.ms", "transactional.id.expiration.ms", "log.message.timestamp.type", "log.message.timestamp.after.max.ms", "log.flush.interval.messages", "delete.topic.enable", "num.network.threads", "socket.request.max.bytes", "max.connections", "log.cleaner.enable", "node.id")) {
        ConfigEntry entry = config.get(name);
        found.put(name, entry == null ? "absent" : List.of(String.valueOf(entry.value()), entry.isReadOnly(), entry.isSensitive(), entry.type().name()));
      }
      return found;
    });
    step("a setting of all brokers is the default of every topic", () -> {
      ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "admin-default");
      alter(everyBroker, new AlterConfigOp(new ConfigEntry("log.retention.ms", "555555555"), AlterConfigOp.OpType.SET));
      eventually(() -> entry(topic, "retention.ms").toString().contains("555555555"));
      Object during = List.of(entry(topic, "retention.ms"), entry(everyBroker, "log.retention.ms"));
      alter(everyBroker, new AlterConfigOp(new ConfigEntry("log.retention.ms", null), AlterConfigOp.OpType.DELETE));
      eventually(() -> !entry(topic, "retention.ms").toString().contains("555555555"));
      return map("during", during, "after", entry(topic, "retention.ms"));
    });
    step("a setting of one broker", () -> {
      alter(broker, new AlterConfigOp(new ConfigEntry("message.max.bytes", "2000000"), AlterConfigOp.OpType.SET));
      eventually(() -> entry(broker, "message.max.bytes").toString().contains("2000000"));
      Object during = entry(broker, "message.max.bytes");
      alter(broker, new AlterConfigOp(new ConfigEntry("message.max.bytes", null), AlterConfigOp.OpType.DELETE));
      eventually(() -> !entry(broker, "message.max.bytes").toString().contains("2000000"));
      return map("during", during, "after", entry(broker, "message.max.bytes"));
    });
    step("settings of brokers are refused", () -> {
      Map<String, Object> refused = new LinkedHashMap<>();
      refused.put("read only", thrown(() -> alter(broker, new AlterConfigOp(new ConfigEntry("num.partitions", "5"), AlterConfigOp.OpType.SET), new AlterConfigOp(new ConfigEntry("node.id", "5"), AlterConfigOp.OpType.SET))));
      refused.put("no number", thrown(() -> alter(broker, new AlterConfigOp(new ConfigEntry("log.retention.ms", "soon"), AlterConfigOp.OpType.SET))));
      refused.put("unknown", thrown(() -> alter(broker, new AlterConfigOp(new ConfigEntry("no.such.setting", "1"), AlterConfigOp.OpType.SET))));
      refused.put("broker 99", thrown(() -> impatient.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.BROKER, "99"), List.of(new AlterConfigOp(new ConfigEntry("log.retention.ms", "1"), AlterConfigOp.OpType.SET)))).all().get()));
      refused.put("broker x", thrown(() -> alter(new ConfigResource(ConfigResource.Type.BROKER, "x"), new AlterConfigOp(new ConfigEntry("log.retention.ms", "1"), AlterConfigOp.OpType.SET))));
      return refused;
    });
    step("settings of groups", () -> {
      ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, "admin-group");
      alter(group, new AlterConfigOp(new ConfigEntry("consumer.session.timeout.ms", "50000"), AlterConfigOp.OpType.SET));
      eventually(() -> entry(group, "consumer.session.timeout.ms").toString().contains("50000"));
      return List.of(entry(group, "consumer.session.timeout.ms"), entry(group, "consumer.heartbeat.interval.ms"));
    });
    step("listConfigResources", () -> admin.listConfigResources(Set.of(ConfigResource.Type.TOPIC, ConfigResource.Type.BROKER), new ListConfigResourcesOptions()).all().get().stream().map(resource -> resource.type() + " " + resource.name()).filter(text -> text.startsWith("BROKER") || text.startsWith("TOPIC admin")).sorted().collect(Collectors.toList()));
  }

  private void records() {
    TopicPartition partition = new TopicPartition("admin-records", 0);
    step("deleteRecords up to an offset, and to the end", () -> {
      admin.createTopics(List.of(new NewTopic("admin-records", 2, (short) 1))).all().get();
      try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(with(), new ByteArraySerializer(), new ByteArraySerializer())) {
        // Times that do not grow: the latest is not the last.
        for (int i = 0; i < 20; i++) producer.send(new ProducerRecord<>("admin-records", 0, 1_700_000_000_000L + (i == 7 ? 1_000_000 : i * 1_000), null, ClientsStory.bytes("value " + i))).get();
      }
      List<Object> offsets = new ArrayList<>();
      offsets.add(offsets(partition));
      offsets.add(admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(5))).lowWatermarks().get(partition).get().lowWatermark());
      offsets.add(admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(3))).lowWatermarks().get(partition).get().lowWatermark());
      offsets.add(offsets(partition));
      offsets.add(thrown(() -> admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(21))).all().get()));
      offsets.add(admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(-1))).lowWatermarks().get(partition).get().lowWatermark());
      Map<String, Object> left = offsets(partition);
      left.remove("max timestamp"); // Apache Kafka still names the record, which is gone.
      offsets.add(left);
      offsets.add(thrown(() -> impatient.deleteRecords(Map.of(new TopicPartition("admin-records", 9), RecordsToDelete.beforeOffset(1))).all().get()));
      return offsets;
    });
    step("listOffsets of what is not there", () -> map(
        "empty", offsets(new TopicPartition("admin-records", 1)),
        "partition", thrown(() -> impatient.listOffsets(Map.of(new TopicPartition("admin-records", 9), OffsetSpec.latest())).all().get()),
        "topic", thrown(() -> impatient.listOffsets(Map.of(new TopicPartition("admin-absent", 0), OffsetSpec.latest())).all().get())));
    step("describeProducers tells who wrote", () -> {
      var state = admin.describeProducers(List.of(partition)).partitionResult(partition).get();
      return state.activeProducers().stream().map(producer -> List.of(producer.producerId() >= 0, producer.producerEpoch(), producer.lastSequence(), producer.currentTransactionStartOffset().isPresent(), producer.coordinatorEpoch().orElse(-1))).collect(Collectors.toList());
    });
    step("describeLogDirs tells how large partitions are", () -> {
      var directories = admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1).values();
      var replicas = directories.stream().flatMap(directory -> directory.replicaInfos().entrySet().stream()).collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
      var replica = replicas.get(new TopicPartition("admin-own", 0));
      return map("directories", directories.size(), "errors", directories.stream().filter(directory -> directory.error() != null).count(), "empty", List.of(replica.size(), replica.offsetLag(), replica.isFuture()), "written", replicas.get(partition).size() > 500, "totals", directories.stream().allMatch(directory -> directory.totalBytes().getAsLong() > directory.usableBytes().getAsLong()));
    });
  }

  private void deleting() {
    step("deleteTopics by name and by id", () -> {
      Uuid id = admin.describeTopics(List.of("admin-each")).allTopicNames().get().get("admin-each").topicId();
      admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
      admin.deleteTopics(List.of("admin-assigned")).all().get();
      eventually(() -> !admin.listTopics().names().get().contains("admin-assigned"));
      return map("again", thrown(() -> admin.deleteTopics(List.of("admin-assigned")).all().get()), "id again", thrown(() -> admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get()), "invalid", thrown(() -> admin.deleteTopics(List.of("no topic!")).all().get()), "left", admin.listTopics().names().get().stream().filter(name -> name.startsWith("admin-")).sorted().collect(Collectors.toList()));
    });
    step("a topic that is made again has another id and no records", () -> {
      Uuid before = admin.describeTopics(List.of("admin-records")).allTopicNames().get().get("admin-records").topicId();
      admin.deleteTopics(List.of("admin-records")).all().get();
      admin.createTopics(List.of(new NewTopic("admin-records", 2, (short) 1))).all().get();
      TopicPartition partition = new TopicPartition("admin-records", 0);
      return List.of(before.equals(admin.describeTopics(List.of("admin-records")).allTopicNames().get().get("admin-records").topicId()), offsets(partition));
    });
  }

  private void cluster() {
    step("describeCluster", () -> {
      DescribeClusterResult cluster = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
      return map("nodes", cluster.nodes().get().stream().map(node -> List.of(node.id(), node.rack() == null ? "no rack" : node.rack(), node.isFenced())).collect(Collectors.toList()), "controller", cluster.controller().get().id(), "id", cluster.clusterId().get().length(), "operations", cluster.authorizedOperations().get().stream().map(Enum::name).sorted().collect(Collectors.toList()));
    });
    step("describeFeatures", () -> {
      FeatureMetadata features = admin.describeFeatures().featureMetadata().get();
      Map<String, Object> found = new TreeMap<>();
      for (String name : List.of("transaction.version", "group.version")) {
        found.put(name, List.of(features.finalizedFeatures().containsKey(name) ? features.finalizedFeatures().get(name).maxVersionLevel() : -1, features.supportedFeatures().containsKey(name) ? features.supportedFeatures().get(name).maxVersion() : -1));
      }
      return found;
    });
    step("describeMetadataQuorum", () -> {
      QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get();
      return map("leader", quorum.leaderId(), "voters", quorum.voters().size(), "observers", quorum.observers().size());
    });
    step("electLeaders where there is nothing to elect", () -> {
      var all = admin.electLeaders(ElectionType.PREFERRED, null).partitions().get();
      var one = admin.electLeaders(ElectionType.PREFERRED, Set.of(new TopicPartition("admin-own", 0), new TopicPartition("admin-absent", 0))).partitions().get();
      return map("all", all.size(), "there", one.get(new TopicPartition("admin-own", 0)).map(error -> error.getClass().getSimpleName()).orElse("elected"), "absent", one.get(new TopicPartition("admin-absent", 0)).map(error -> error.getClass().getSimpleName()).orElse("elected"));
    });
  }

  /** Calls that need what this broker may not have: the answer must be one that a program understands. */
  private void rarities() {
    step("describeAcls without an authorizer", () -> admin.describeAcls(AclBindingFilter.ANY).values().get().size());
    step("describeClientQuotas", () -> admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get().size());
    step("describeUserScramCredentials", () -> admin.describeUserScramCredentials().all().get().size());
    step("listTransactions of a producer that is not there", () -> admin.listTransactions(new ListTransactionsOptions().filterProducerIds(Set.of(999_999L))).all().get().size());
    step("describeTransactions of nobody", () -> impatient.describeTransactions(List.of("nobody")).all().get().size());
    step("listPartitionReassignments", () -> admin.listPartitionReassignments().reassignments().get().size());
    step("describeReplicaLogDirs", () -> admin.describeReplicaLogDirs(List.of(new TopicPartitionReplica("admin-own", 0, 1))).all().get().size());
    step("describeDelegationToken", () -> admin.describeDelegationToken().delegationTokens().get().size());
    step("unregisterBroker of nobody", () -> admin.unregisterBroker(99).all().get());
  }

  private Object described(String topic) throws Exception {
    TopicDescription description = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
    return map("internal", description.isInternal(), "partitions", description.partitions().stream().sorted(Comparator.comparingInt(TopicPartitionInfo::partition)).map(info -> List.of(info.partition(), info.leader().id(), ids(info.replicas()), ids(info.isr()), info.elr() == null ? -1 : info.elr().size(), info.lastKnownElr() == null ? -1 : info.lastKnownElr().size())).collect(Collectors.toList()));
  }

  private static List<Integer> ids(List<org.apache.kafka.common.Node> nodes) {
    return nodes.stream().map(org.apache.kafka.common.Node::id).collect(Collectors.toList());
  }

  private String create(NewTopic topic) {
    return thrown(() -> admin.createTopics(List.of(topic)).all().get());
  }

  private String partitions(String topic, NewPartitions partitions) {
    return thrown(() -> admin.createPartitions(Map.of(topic, partitions)).all().get());
  }

  private Object alter(ConfigResource resource, AlterConfigOp... operations) throws Exception {
    admin.incrementalAlterConfigs(Map.of(resource, List.of(operations))).all().get();
    return null;
  }

  private Object entry(ConfigResource resource, String name) throws Exception {
    return entry(admin.describeConfigs(List.of(resource)).all().get().get(resource), name);
  }

  private static Object entry(Config config, String name) {
    ConfigEntry entry = config.get(name);
    return entry == null ? "absent" : entry.value() + " " + entry.source();
  }

  /** The offsets of a partition by every way to ask. */
  private Map<String, Object> offsets(TopicPartition partition) throws Exception {
    Map<String, Object> offsets = new LinkedHashMap<>();
    Map<String, OffsetSpec> ways = new LinkedHashMap<>();
    ways.put("earliest", OffsetSpec.earliest());
    ways.put("latest", OffsetSpec.latest());
    ways.put("max timestamp", OffsetSpec.maxTimestamp());
    ways.put("time", OffsetSpec.forTimestamp(1_700_000_006_500L));
    ways.put("later", OffsetSpec.forTimestamp(1_800_000_000_000L));
    ways.put("earliest local", OffsetSpec.earliestLocal());
    for (Map.Entry<String, OffsetSpec> way : ways.entrySet()) {
      try {
        var found = admin.listOffsets(Map.of(partition, way.getValue())).partitionResult(partition).get();
        offsets.put(way.getKey(), List.of(found.offset(), found.timestamp(), found.leaderEpoch().orElse(-1)));
      } catch (Exception error) {
        offsets.put(way.getKey(), cause(error).getClass().getSimpleName());
      }
    }
    return offsets;
  }

  /** What a change to a broker of Apache Kafka needs: it is told of it a moment later. */
  static void eventually(Callable<Boolean> condition) throws Exception {
    for (int i = 0; i < 100 && !condition.call(); i++) Thread.sleep(50);
  }
}
