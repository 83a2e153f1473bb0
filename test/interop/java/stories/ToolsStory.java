import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Exit;
import org.slf4j.LoggerFactory;

/** Apache Kafka's command line tools: each step is a command line, all in one JVM, and its answer what the tool prints and how it ends. */
public class ToolsStory extends Story {
  /** The scripts of Apache Kafka's bin folder, and what they start. */
  private static final Map<String, String> tools = map(
      "kafka-acls", "AclCommand",
      "kafka-broker-api-versions", "BrokerApiVersionsCommand",
      "kafka-client-metrics", "ClientMetricsCommand",
      "kafka-cluster", "ClusterTool",
      "kafka-configs", "kafka.admin.ConfigCommand",
      "kafka-console-consumer", "consumer.ConsoleConsumer",
      "kafka-console-producer", "ConsoleProducer",
      "kafka-consumer-groups", "consumer.group.ConsumerGroupCommand",
      "kafka-consumer-perf-test", "ConsumerPerformance",
      "kafka-delegation-tokens", "DelegationTokenCommand",
      "kafka-delete-records", "DeleteRecordsCommand",
      "kafka-dump-log", "DumpLogSegments",
      "kafka-e2e-latency", "EndToEndLatency",
      "kafka-features", "FeatureCommand",
      "kafka-get-offsets", "GetOffsetShell",
      "kafka-groups", "GroupsCommand",
      "kafka-leader-election", "LeaderElectionCommand",
      "kafka-log-dirs", "LogDirsCommand",
      "kafka-metadata-quorum", "MetadataQuorumCommand",
      "kafka-producer-perf-test", "ProducerPerformance",
      "kafka-reassign-partitions", "reassign.ReassignPartitionsCommand",
      "kafka-share-groups", "consumer.group.ShareGroupCommand",
      "kafka-streams-application-reset", "StreamsResetter",
      "kafka-streams-groups", "streams.StreamsGroupCommand",
      "kafka-topics", "TopicCommand",
      "kafka-transactions", "TransactionsCommand",
      "kafka-verifiable-producer", "VerifiableProducer").entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, tool -> String.valueOf(tool.getValue())));

  /** Where a tool's output goes, of whatever thread; nowhere between tools. */
  private static volatile OutputStream captured = OutputStream.nullOutputStream();

  /** The status that the tool has ended with; null while it runs. */
  private static volatile Integer ended;

  private static final PrintStream out = System.out;
  private static final PrintStream err = System.err;

  private final Map<String, Integer> asked = new HashMap<>();
  private Path folder;
  private String bootstrap;

  @Override
  void tell() throws Exception {
    LoggerFactory.getLogger(ToolsStory.class); // Logs keep the real standard output.
    folder = Files.createTempDirectory("millrace-tools-story");
    bootstrap = (String) with().get("bootstrap.servers");
    Exit.setExitProcedure((status, message) -> end(status));
    Exit.setHaltProcedure((status, message) -> end(status));
    Exit.setShutdownHookAdder((name, runnable) -> { });
    try {
      topics();
      records();
      offsets();
      groups();
      resets();
      transactions();
      configs();
      cluster();
      placement();
      acls();
      otherGroups();
      files();
      performance();
    } finally {
      try (var paths = Files.walk(folder)) {
        for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
      }
    }
  }

  /** Nothing may hang. */
  @Override
  int stepTimeoutSeconds() {
    return 20;
  }

  private void topics() {
    run("kafka-topics --create --topic tools --partitions 2 --config retention.ms=-1");
    run("kafka-topics --create --topic tools");
    run("kafka-topics --create --topic tools --if-not-exists");
    run("kafka-topics --create --topic plain --replication-factor 1");
    run("kafka-topics --create --topic assigned --replica-assignment 1,1,1");
    run("kafka-topics --create --topic two --replication-factor 2");
    run("kafka-topics --create --topic none --partitions 0");
    run("kafka-topics --create --topic 'no name'");
    run("kafka-topics --create --topic bad --config no.such=1");
    run("kafka-topics --create --topic bad --config retention.ms=soon");
    run("kafka-topics --create --topic dotted.name --config cleanup.policy=compact,delete");
    run("kafka-topics --list");
    run("kafka-topics --list --exclude-internal --topic 't.*'");
    run("kafka-topics --describe --topic tools");
    run("kafka-topics --describe --topic tools,plain,dotted.name", sorted);
    run("kafka-topics --describe --topic absent");
    run("kafka-topics --describe --topic absent --if-exists");
    run("kafka-topics --describe --topic-id AAAAAAAAAAAAAAAAAAAABQ");
    run("kafka-topics --describe --topics-with-overrides", sorted);
    run("kafka-topics --describe --under-replicated-partitions");
    run("kafka-topics --describe --unavailable-partitions");
    run("kafka-topics --describe --under-min-isr-partitions");
    run("kafka-topics --describe --at-min-isr-partitions --topic tools");
    run("kafka-topics --describe --exclude-internal --partition-size-limit-per-response 1", sorted);
    run("kafka-topics --alter --topic plain --partitions 3");
    run("kafka-topics --alter --topic plain --partitions 3");
    run("kafka-topics --alter --topic plain --partitions 2");
    run("kafka-topics --alter --topic plain --partitions 4 --replica-assignment 1,1,1,1");
    run("kafka-topics --alter --topic plain --partitions 5 --replica-assignment 1,1,1,1,7");
    run("kafka-topics --alter --topic absent --partitions 3");
    run("kafka-topics --alter --topic absent --partitions 3 --if-exists");
    run("kafka-topics --delete --topic assigned");
    run("kafka-topics --delete --topic absent");
    run("kafka-topics --delete --topic absent --if-exists");
    run("kafka-topics --list --exclude-internal");
  }

  private void records() {
    run("kafka-console-producer --topic plain --reader-property parse.key=true --reader-property key.separator=: --reader-property parse.headers=true --reader-property headers.delimiter=| --compression-codec zstd", "from:console,empty:|a:one\nfrom:console|b:two\nempty:|c:three\n");
    run("kafka-console-producer --topic plain --sync --request-required-acks 0 --reader-property parse.key=true --reader-property null.marker=NULL", "a\tNULL\n");
    run("kafka-console-producer --topic absent-topic-that-is-made", "text\n");
    run("kafka-console-producer --topic tools --reader-property parse.key=true", "no separator\n");
    String shown = " --formatter-property print.key=true --formatter-property print.headers=true --formatter-property print.partition=true --formatter-property print.offset=true --formatter-property print.timestamp=true --formatter-property key.separator=:";
    run("kafka-console-consumer --topic plain --from-beginning --max-messages 4 --timeout-ms 10000 --group console" + shown, sorted);
    run("kafka-console-consumer --topic plain --partition 0 --offset 0 --max-messages 1 --timeout-ms 3000" + shown);
    run("kafka-console-consumer --topic plain --from-beginning --max-messages 4 --timeout-ms 10000 --isolation-level read_committed --formatter-property print.value=false", sorted);
    run("kafka-console-consumer --include 'pl.*|too.*' --from-beginning --max-messages 4 --timeout-ms 10000 --skip-message-on-error --group including", sorted);
    run("kafka-console-consumer --topic plain --timeout-ms 1000 --formatter-property print.key=true");
    run("kafka-console-consumer --topic no!topic --timeout-ms 1000");
    step("records with times of their own", () -> {
      try (KafkaProducer<String, String> producer = new KafkaProducer<>(with(), new StringSerializer(), new StringSerializer())) {
        long now = System.currentTimeMillis();
        for (int i = 0; i < 10; i++) {
          producer.send(new ProducerRecord<>("tools", 0, Instant.parse("2024-01-01T00:00:00Z").toEpochMilli() + i * 60_000L, "k" + i, "old " + i));
          producer.send(new ProducerRecord<>("tools", 1, now - (10 - i) * 3_600_000L, "k" + i, "new " + i));
        }
        producer.flush();
        return "written";
      }
    });
  }

  private void offsets() {
    run("kafka-get-offsets --topic tools");
    for (String time : List.of("latest", "-1", "earliest", "-2", "max-timestamp", "-3", "earliest-local", "-4", "latest-tiered", "-5", "earliest-pending-upload", "-6", "1704067500000", "0", "9999999999999", "yesterday")) run("kafka-get-offsets --topic tools --time " + time);
    run("kafka-get-offsets --topic tools --partitions 0 --time earliest");
    run("kafka-get-offsets --topic-partitions 'tools:1-2,plain:0' --time latest");
    run("kafka-get-offsets --topic-partitions 'to.*:0' --time latest");
    run("kafka-get-offsets --topic absent");
    run("kafka-get-offsets --exclude-internal-topics --time earliest");
    file("delete.json", "{\"version\":1,\"partitions\":[{\"topic\":\"dotted.name\",\"partition\":0,\"offset\":0},{\"topic\":\"plain\",\"partition\":0,\"offset\":-1}]}");
    file("delete-far.json", "{\"version\":1,\"partitions\":[{\"topic\":\"tools\",\"partition\":0,\"offset\":999}]}");
    file("delete-two.json", "{\"version\":1,\"partitions\":[{\"topic\":\"tools\",\"partition\":0,\"offset\":2}]}");
    file("delete-same.json", "{\"version\":1,\"partitions\":[{\"topic\":\"tools\",\"partition\":0,\"offset\":2},{\"topic\":\"tools\",\"partition\":0,\"offset\":3}]}");
    run("kafka-delete-records --offset-json-file @/delete.json", sorted);
    run("kafka-delete-records --offset-json-file @/delete-far.json");
    run("kafka-delete-records --offset-json-file @/delete-two.json");
    run("kafka-delete-records --offset-json-file @/delete-same.json");
    run("kafka-get-offsets --topic tools --time earliest");
  }

  private void groups() {
    step("a group with positions", () -> {
      commit("readers", Map.of(new TopicPartition("tools", 0), new OffsetAndMetadata(5), new TopicPartition("tools", 1), new OffsetAndMetadata(6, Optional.of(0), "with a note"), new TopicPartition("plain", 0), new OffsetAndMetadata(0)));
      return "committed";
    });
    run("kafka-consumer-groups --list", sorted);
    run("kafka-consumer-groups --list --state", sorted);
    run("kafka-consumer-groups --list --state Stable");
    run("kafka-consumer-groups --list --state Nonsense");
    run("kafka-consumer-groups --list --type", sorted);
    run("kafka-consumer-groups --list --type consumer");
    run("kafka-consumer-groups --list --type nonsense");
    describeGroup("readers");
    run("kafka-consumer-groups --describe --group absent");
    run("kafka-consumer-groups --describe --all-groups --state", sorted);
    for (String protocol : List.of("classic", "consumer")) {
      try (Live live = new Live("live-" + protocol, protocol)) {
        live.joined.await();
        describeGroup("live-" + protocol);
        run("kafka-consumer-groups --describe --group live-" + protocol + " --members --verbose --offsets");
        run("kafka-consumer-groups --list --state Stable --type " + protocol, sorted);
        run("kafka-consumer-groups --delete --group live-" + protocol);
        run("kafka-consumer-groups --reset-offsets --to-earliest --group live-" + protocol + " --topic tools --execute");
        run("kafka-consumer-groups --delete-offsets --group live-" + protocol + " --topic tools", sorted);
        run("kafka-consumer-groups --delete-offsets --group live-" + protocol + " --topic plain", sorted);
        run("kafka-groups --list --consumer", sorted);
      } catch (InterruptedException error) {
        throw new IllegalStateException(error);
      }
    }
    run("kafka-groups --list", sorted);
    run("kafka-groups --list --protocol classic", sorted);
    run("kafka-groups --list --group-type consumer --protocol consumer");
    run("kafka-groups --list --share");
    run("kafka-groups --list --streams");
  }

  private void describeGroup(String group) {
    run("kafka-consumer-groups --describe --group " + group, sorted);
    run("kafka-consumer-groups --describe --group " + group + " --offsets --verbose", sorted);
    run("kafka-consumer-groups --describe --group " + group + " --members --verbose");
    run("kafka-consumer-groups --describe --group " + group + " --state --verbose");
  }

  private void resets() {
    String reset = "kafka-consumer-groups --reset-offsets --group readers";
    run(reset + " --topic tools --to-earliest");
    for (String where : List.of("--to-earliest", "--to-latest", "--to-offset 7", "--to-offset 99", "--to-offset 0", "--shift-by 2", "--shift-by -3", "--shift-by 100", "--shift-by -100", "--by-duration PT5H30M", "--by-duration P9999D", "--to-datetime 2024-01-01T00:04:30.000", "--to-datetime 2024-01-01T00:04:30.000+00:00", "--to-datetime yesterday", "--by-duration soon", "--to-current")) {
      run(reset + " --topic tools " + where + " --dry-run", sorted);
    }
    run(reset + " --topic tools:1 --to-offset 3 --execute", sorted);
    run(reset + " --topic tools:0,1 --topic plain --shift-by 1 --execute", sorted);
    run(reset + " --all-topics --to-current --export --dry-run", sorted);
    run(reset + " --all-topics --to-latest --execute --export", sorted);
    file("reset.csv", "tools,0,4\ntools,1,8\n");
    run(reset + " --from-file @/reset.csv --dry-run", sorted);
    run(reset + " --from-file @/reset.csv --execute", sorted);
    run("kafka-consumer-groups --reset-offsets --all-groups --topic plain:0 --to-earliest --dry-run", sorted);
    run("kafka-consumer-groups --reset-offsets --group made-by-reset --topic tools --to-offset 5 --execute", sorted);
    run(reset + " --topic absent --to-earliest --execute");
    run(reset + " --topic tools:9 --to-earliest --execute");
    run("kafka-consumer-groups --describe --group readers", sorted);
    run("kafka-consumer-groups --describe --group made-by-reset", sorted);
    run("kafka-consumer-groups --delete-offsets --group readers --topic tools:0", sorted);
    run("kafka-consumer-groups --delete-offsets --group readers --topic absent", sorted);
    run("kafka-consumer-groups --delete-offsets --group absent --topic tools", sorted);
    run("kafka-consumer-groups --delete --group made-by-reset --group absent", sorted);
    run("kafka-consumer-groups --delete --group readers", sorted);
    run("kafka-consumer-groups --describe --group readers", sorted);
    step("a stopped application", () -> {
      try (Admin admin = Admin.create(with())) {
        admin.createTopics(List.of("application-input", "application-store-changelog", "application-by-key-repartition").stream().map(name -> new org.apache.kafka.clients.admin.NewTopic(name, 1, (short) 1)).toList()).all().get();
      }
      send("application-input", 3);
      commit("application", Map.of(new TopicPartition("application-input", 0), new OffsetAndMetadata(3)));
      return "stopped";
    });
    String application = "kafka-streams-application-reset --application-id application";
    run(application + " --input-topics application-input --dry-run", sorted);
    run(application + " --input-topics application-input --to-offset 1 --dry-run", sorted);
    run(application + " --input-topics application-input --shift-by -1 --internal-topics application-store-changelog --force", sorted);
    run(application + " --input-topics absent --force", sorted);
    run(application + " --input-topics application-input --to-datetime 2024-01-01T00:00:00.000 --force", sorted);
    run("kafka-consumer-groups --describe --group application", sorted);
    run("kafka-topics --list --exclude-internal --topic 'application.*'");
  }

  private void transactions() {
    run("kafka-producer-perf-test --topic paid --num-records 20 --record-size 10 --throughput -1 --transactional-id till --transaction-duration-ms 60000", first);
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(with("transactional.id", "open"), new StringSerializer(), new StringSerializer())) {
      step("an open transaction", () -> {
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("held", 0, "k", "v")).get();
        return "begun";
      });
      run("kafka-transactions list", sorted);
      run("kafka-transactions list --duration-filter 600000");
      run("kafka-transactions list --transactional-id-pattern 'op.*'");
      run("kafka-transactions list --transactional-id-pattern '(('");
      run("kafka-transactions describe --transactional-id open");
      run("kafka-transactions describe --transactional-id till");
      run("kafka-transactions describe --transactional-id absent");
      run("kafka-transactions describe-producers --topic held --partition 0");
      run("kafka-transactions find-hanging --broker-id 1");
      run("kafka-transactions find-hanging --topic held --partition 0 --max-transaction-timeout 0");
      run("kafka-transactions abort --topic held --partition 0 --start-offset 5");
      run("kafka-transactions abort --topic held --partition 0 --start-offset 0");
      run("kafka-transactions describe-producers --topic held --partition 0");
      run("kafka-console-consumer --topic held --from-beginning --timeout-ms 1500 --isolation-level read_committed");
      run("kafka-console-consumer --topic held --from-beginning --max-messages 1 --timeout-ms 10000 --isolation-level read_uncommitted");
      run("kafka-transactions forceTerminateTransaction --transactionalId open");
      run("kafka-transactions forceTerminateTransaction --transactionalId absent");
      run("kafka-transactions describe --transactional-id open");
      step("who was ended", () -> thrown(() -> { producer.commitTransaction(); return null; }));
    }
  }

  private void configs() {
    String topic = "kafka-configs --entity-type topics --entity-name plain";
    run(topic + " --alter --add-config retention.ms=7654321,cleanup.policy=[compact,delete]");
    run(topic + " --describe");
    run(topic + " --alter --delete-config retention.ms");
    run(topic + " --alter --delete-config never.set");
    run(topic + " --alter --add-config retention.ms=soon");
    run(topic + " --alter --add-config no.such.setting=1");
    run("kafka-configs --entity-type topics --entity-name absent --describe");
    run("kafka-configs --topic plain --describe");
    String broker = "kafka-configs --entity-type brokers --entity-name 1";
    run("kafka-configs --entity-type brokers --entity-default --alter --add-config log.retention.ms=86400000");
    run("kafka-configs --entity-type brokers --entity-default --describe");
    run(broker + " --alter --add-config message.max.bytes=2000000");
    run(broker + " --alter --add-config log.cleaner.threads=2");
    run(broker + " --describe");
    run(broker + " --alter --add-config num.partitions=3");
    run(broker + " --alter --add-config no.such.setting=3");
    run(broker + " --alter --delete-config message.max.bytes");
    run("kafka-configs --entity-type brokers --entity-default --alter --delete-config log.retention.ms");
    run("kafka-configs --entity-type brokers --entity-name 7 --describe");
    run("kafka-configs --entity-type brokers --describe");
    run("kafka-configs --entity-type broker-loggers --entity-name 1 --alter --add-config kafka.no.Such=DEBUG");
    run("kafka-configs --entity-type groups --entity-name some --alter --add-config consumer.session.timeout.ms=50000");
    run("kafka-configs --entity-type groups --entity-name some --describe");
    run("kafka-configs --entity-type groups --entity-name some --alter --add-config consumer.session.timeout.ms=1");
    run("kafka-configs --entity-type groups --entity-name some --alter --delete-config consumer.session.timeout.ms");
    run("kafka-configs --entity-type groups --describe", sorted);
    String user = "kafka-configs --entity-type users --entity-name ann";
    run(user + " --alter --add-config SCRAM-SHA-256=[iterations=8192,password=secret],SCRAM-SHA-512=[password=secret]");
    run(user + " --alter --add-config SCRAM-SHA-256=[iterations=8192,password=secret]");
    run(user + " --alter --add-config SCRAM-SHA-512=[password=secret]");
    run(user + " --describe");
    run("kafka-configs --entity-type users --describe");
    run(user + " --alter --add-config SCRAM-SHA-256=[iterations=1,password=secret]");
    run(user + " --alter --delete-config SCRAM-SHA-256");
    run(user + " --alter --delete-config SCRAM-SHA-256");
    run(user + " --describe");
    run(user + " --alter --add-config producer_byte_rate=1024");
    run(user + " --alter --delete-config SCRAM-SHA-512");
    run("kafka-configs --entity-type clients --entity-name app --alter --add-config consumer_byte_rate=2048");
    run("kafka-configs --entity-type clients --entity-name app --describe");
    run("kafka-configs --entity-type ips --entity-name 127.0.0.1 --alter --add-config connection_creation_rate=2048");
    run("kafka-configs --entity-type client-metrics --entity-name all --alter --add-config interval.ms=10000");
    run("kafka-configs --entity-type client-metrics --describe");
    run("kafka-client-metrics --list");
    run("kafka-client-metrics --alter --name all --interval 30000 --metrics org.apache.kafka.producer.");
    run("kafka-client-metrics --describe --name all");
    run("kafka-client-metrics --delete --name all");
  }

  private void cluster() {
    run("kafka-cluster cluster-id");
    run("kafka-cluster list-endpoints");
    run("kafka-cluster list-endpoints --include-fenced-brokers");
    run("kafka-cluster unregister --id 7");
    run("kafka-features describe", line -> line.matches("Feature: (group|transaction)\\.version.*"));
    run("kafka-features upgrade --feature no.such=1");
    run("kafka-features downgrade --feature transaction.version=1 --dry-run");
    run("kafka-metadata-quorum describe --status", line -> line.matches("(LeaderId|CurrentObservers|MaxFollowerLag|MaxFollowerLagTimeMs).*"));
    run("kafka-metadata-quorum describe --replication", line -> line.matches("NodeId.*"));
    // But for what is not served: the README's table.
    run("kafka-broker-api-versions", line -> !line.matches(".*\\((34|38|39|40|41|49|57|64|7[6-9]|8\\d|9\\d)\\):.*"));
    file("none.properties", "");
    run("kafka-delegation-tokens --create --max-life-time-period -1 --command-config @/none.properties");
    run("kafka-delegation-tokens --describe --command-config @/none.properties");
  }

  private void placement() {
    run("kafka-leader-election --election-type preferred --topic tools --partition 0");
    run("kafka-leader-election --election-type unclean --topic tools --partition 0");
    run("kafka-leader-election --election-type preferred --topic absent --partition 0");
    run("kafka-leader-election --election-type preferred --all-topic-partitions");
    file("elect.json", "{\"partitions\":[{\"topic\":\"tools\",\"partition\":1},{\"topic\":\"plain\",\"partition\":0}]}");
    run("kafka-leader-election --election-type preferred --path-to-json-file @/elect.json");
    file("reassign.json", "{\"version\":1,\"partitions\":[{\"topic\":\"tools\",\"partition\":0,\"replicas\":[1]}]}");
    file("reassign-away.json", "{\"version\":1,\"partitions\":[{\"topic\":\"tools\",\"partition\":0,\"replicas\":[2]}]}");
    file("reassign-absent.json", "{\"version\":1,\"partitions\":[{\"topic\":\"absent\",\"partition\":0,\"replicas\":[1]}]}");
    file("reassign-topics.json", "{\"version\":1,\"topics\":[{\"topic\":\"tools\"}]}");
    String reassign = "kafka-reassign-partitions";
    run(reassign + " --generate --topics-to-move-json-file @/reassign-topics.json --broker-list 1");
    run(reassign + " --generate --topics-to-move-json-file @/reassign-topics.json --broker-list 1,2");
    run(reassign + " --execute --reassignment-json-file @/reassign.json");
    run(reassign + " --verify --reassignment-json-file @/reassign.json");
    run(reassign + " --execute --reassignment-json-file @/reassign.json --throttle 1000000");
    run("kafka-configs --entity-type topics --entity-name tools --describe");
    run("kafka-configs --entity-type brokers --entity-name 1 --describe");
    run(reassign + " --verify --reassignment-json-file @/reassign.json");
    run("kafka-configs --entity-type topics --entity-name tools --describe");
    run(reassign + " --execute --reassignment-json-file @/reassign-away.json");
    run(reassign + " --execute --reassignment-json-file @/reassign-absent.json");
    run(reassign + " --cancel --reassignment-json-file @/reassign.json");
    run(reassign + " --list");
    run("kafka-log-dirs --describe --topic-list paid", line -> !line.startsWith("{"));
    run("kafka-log-dirs --describe --topic-list absent --broker-list 1");
    run("kafka-log-dirs --describe --broker-list 1,7");
  }

  private void acls() {
    String acls = "kafka-acls";
    run(acls + " --list");
    run(acls + " --add --allow-principal User:ann --operation Read --operation Write --topic tools", sorted);
    run(acls + " --add --allow-principal User:ann --producer --topic orders- --resource-pattern-type prefixed --transactional-id ann", sorted);
    run(acls + " --add --allow-principal User:ann --consumer --topic orders- --resource-pattern-type prefixed --group readers", sorted);
    run(acls + " --add --deny-principal User:bob --deny-host 10.0.0.1 --operation All --group *", sorted);
    run(acls + " --add --allow-principal User:ann --operation Alter --cluster", sorted);
    run(acls + " --add --allow-principal User:ann --operation DescribeTokens --user-principal User:bob", sorted);
    run(acls + " --add --allow-principal User:ann --operation Describe --delegation-token abc", sorted);
    run(acls + " --add --allow-principal ann --operation Read --topic tools");
    run(acls + " --add --allow-principal User:ann --operation Read --cluster");
    run(acls + " --add --allow-principal User:ann --operation Read --topic tools --resource-pattern-type match");
    run(acls + " --list", sorted);
    run(acls + " --list --topic orders-7 --resource-pattern-type match", sorted);
    run(acls + " --list --topic tools --principal User:ann", sorted);
    run(acls + " --list --principal User:bob", sorted);
    run(acls + " --list --topic * --resource-pattern-type any", sorted);
    run(acls + " --remove --allow-principal User:ann --operation Read --topic tools --force", sorted);
    run(acls + " --remove --topic tools --force", sorted);
    run(acls + " --remove --topic orders-7 --resource-pattern-type match --force", sorted);
    run(acls + " --remove --group readers --allow-principal User:ann --consumer --topic orders- --resource-pattern-type prefixed --force", sorted);
    run(acls + " --list", sorted);
    run(acls + " --remove --cluster --force", sorted);
    run(acls + " --remove --group * --force", sorted);
  }

  private void otherGroups() {
    for (String kind : List.of("share", "streams")) {
      String groups = "kafka-" + kind + "-groups";
      run(groups + " --list");
      run(groups + " --describe --group absent");
      run(groups + " --describe --group console");
      run(groups + " --delete --group absent");
      run(groups + " --reset-offsets --group absent --to-earliest --dry-run " + (kind.equals("share") ? "--topic tools" : "--all-input-topics"));
    }
  }

  /** What brokers write, as kafka-dump-log reads it: what a coordinator keeps of one transaction and one group, and markers. */
  private void files() {
    step("a transaction that is committed and one that is aborted", () -> {
      try (Admin admin = Admin.create(with())) {
        admin.createTopics(List.of(new org.apache.kafka.clients.admin.NewTopic("marked", 1, (short) 1))).all().get();
      }
      try (KafkaProducer<String, String> producer = new KafkaProducer<>(with("transactional.id", "marking"), new StringSerializer(), new StringSerializer())) {
        producer.initTransactions();
        for (boolean commits : List.of(true, false)) {
          producer.beginTransaction();
          producer.send(new ProducerRecord<>("marked", 0, "k", "v")).get();
          if (commits) producer.sendOffsetsToTransaction(Map.of(new TopicPartition("tools", 0), new OffsetAndMetadata(1)), new org.apache.kafka.clients.consumer.ConsumerGroupMetadata("marking-group"));
          if (commits) producer.commitTransaction();
          else producer.abortTransaction();
        }
      }
      return "written";
    });
    run("kafka-console-consumer --topic marked --from-beginning --timeout-ms 3000 --isolation-level read_committed");
    run("kafka-console-consumer --topic __transaction_state --from-beginning --timeout-ms 3000 --formatter org.apache.kafka.tools.consumer.TransactionLogMessageFormatter", line -> line.contains("\"marking\""));
    run("kafka-console-consumer --topic __consumer_offsets --from-beginning --timeout-ms 3000 --formatter org.apache.kafka.tools.consumer.OffsetsMessageFormatter", line -> line.contains("\"marking-group\""));
    run("kafka-console-consumer --topic __consumer_offsets --from-beginning --timeout-ms 3000 --formatter org.apache.kafka.tools.consumer.GroupMetadataMessageFormatter", line -> line.contains("\"live-"));
    String log = "/00000000000000000000.log";
    run("kafka-dump-log --print-data-log --files " + logOf("marked", 0) + log);
    run("kafka-dump-log --transaction-log-decoder --files " + logOf("__transaction_state", partitionOf("marking")) + log, line -> line.contains("\"marking\""));
    run("kafka-dump-log --offsets-decoder --files " + logOf("__consumer_offsets", partitionOf("marking-group")) + log, line -> line.contains("marking-group") || line.contains("endTxnMarker"));
    step("the bytes of markers, without offsets, times, producers and checksums", () -> markers(Files.readAllBytes(Path.of(logOf("marked", 0) + log))));
  }

  private void performance() {
    run("kafka-producer-perf-test --topic performance --num-records 5000 --record-size 100 --throughput -1 --command-property acks=all compression.type=snappy", first);
    run("kafka-consumer-perf-test --topic performance --num-records 5000 --timeout 20000", line -> line.contains("start.time"));
    run("kafka-e2e-latency --topic latency --num-records 200 --producer-acks 1 --record-size 10", first);
    run("kafka-verifiable-producer --topic verifiable --max-messages 3 --acks -1", line -> !line.contains("tool_data"));
  }

  private String logOf(String topic, int partition) {
    try (Admin admin = Admin.create(with())) {
      return admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1).keySet().iterator().next() + "/" + topic + "-" + partition;
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
  }

  /** Of four, which the settings of both brokers give the coordinators' topics. */
  private static int partitionOf(String name) {
    return (name.hashCode() & Integer.MAX_VALUE) % 4;
  }

  /** In hexadecimal, the last two batches of a log: first offset, checksum, times, producer's id and epoch set to zero. */
  private static List<String> markers(byte[] log) {
    List<String> batches = new ArrayList<>();
    for (int at = 0; at + 12 < log.length; ) {
      int size = java.nio.ByteBuffer.wrap(log, at + 8, 4).getInt();
      if (size <= 0) break;
      byte[] batch = Arrays.copyOfRange(log, at, at + 12 + size);
      boolean isControl = (batch[22] & 0x20) != 0;
      Arrays.fill(batch, 0, 8, (byte) 0);
      Arrays.fill(batch, 17, 21, (byte) 0);
      Arrays.fill(batch, 27, 43, (byte) 0);
      Arrays.fill(batch, 43, 51, (byte) 0);
      if (isControl) batches.add(java.util.HexFormat.of().formatHex(batch));
      at += 12 + size;
    }
    return batches;
  }

  private void send(String topic, int count) {
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(with(), new StringSerializer(), new StringSerializer())) {
      for (int i = 0; i < count; i++) producer.send(new ProducerRecord<>(topic, "k" + i, "v" + i));
    }
  }

  private void commit(String group, Map<TopicPartition, OffsetAndMetadata> offsets) throws Exception {
    try (Admin admin = Admin.create(with())) {
      admin.alterConsumerGroupOffsets(group, offsets).all().get();
    }
  }

  /** A member that reads the topic tools until it is closed. */
  private class Live implements AutoCloseable {
    final CountDownLatch joined = new CountDownLatch(1);
    private final KafkaConsumer<String, String> consumer;
    private final Thread thread;

    Live(String group, String protocol) {
      consumer = new KafkaConsumer<>(with("group.id", group, "group.protocol", protocol, "client.id", "reader", "group.instance.id", "instance", "auto.offset.reset", "earliest", "enable.auto.commit", false), new StringDeserializer(), new StringDeserializer());
      consumer.subscribe(List.of("tools"));
      thread = new Thread(() -> {
        try {
          for (int read = 0; !Thread.interrupted(); ) {
            read += consumer.poll(Duration.ofMillis(200)).count();
            if (read < 18) continue;
            consumer.commitSync();
            joined.countDown();
          }
        } catch (org.apache.kafka.common.errors.InterruptException | org.apache.kafka.common.errors.WakeupException closed) {
          Thread.interrupted();
        } finally {
          consumer.close();
        }
      });
      thread.start();
    }

    @Override
    public void close() throws InterruptedException {
      consumer.wakeup();
      thread.join();
    }
  }

  private interface Shown {
    List<String> of(List<String> lines);
  }

  private interface Kept extends Shown {
    boolean keeps(String line);

    @Override
    default List<String> of(List<String> lines) {
      return lines.stream().filter(this::keeps).toList();
    }
  }

  /** Of tools that print in the order of a hash. */
  private static final Shown sorted = lines -> lines.stream().sorted().toList();

  private static final Shown first = lines -> lines.stream().limit(1).map(line -> line.replaceAll(",.*", "")).toList();

  private void run(String commandLine) {
    run(commandLine, "", lines -> lines);
  }

  private void run(String commandLine, String input) {
    run(commandLine, input, lines -> lines);
  }

  private void run(String commandLine, Kept kept) {
    run(commandLine, "", kept);
  }

  private void run(String commandLine, Shown shown) {
    run(commandLine, "", shown);
  }

  private void run(String commandLine, String input, Shown shown) {
    int times = asked.merge(commandLine, 1, Integer::sum);
    step(withoutFolders(times == 1 ? commandLine : commandLine + " (" + times + ")"), () -> {
      ByteArrayOutputStream printed = new ByteArrayOutputStream();
      captured = printed;
      ended = null;
      System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
      System.setOut(new PrintStream(new Captured(), true));
      System.setErr(new PrintStream(new Captured(), true));
      try {
        start(commandLine);
      } finally {
        captured = OutputStream.nullOutputStream();
        System.setOut(out);
        System.setErr(err);
      }
      List<String> lines = new ArrayList<>(shown.of(lines(printed.toString(StandardCharsets.UTF_8))));
      if (ended != null && ended != 0) lines.add("exit " + ended);
      return lines;
    });
  }

  /** What a tool does when it has ended, because it catches the end too, is not its own. */
  private static void end(int status) {
    if (ended == null) ended = status;
    captured = OutputStream.nullOutputStream();
    throw new Ended();
  }

  private void start(String commandLine) throws Exception {
    List<String> words = words(commandLine);
    String name = tools.get(words.get(0));
    List<String> args = new ArrayList<>(words.subList(1, words.size()));
    switch (words.get(0)) {
      case "kafka-dump-log" -> { }
      case "kafka-cluster" -> args.addAll(List.of("--bootstrap-server", bootstrap));
      default -> args.addAll(0, List.of("--bootstrap-server", bootstrap));
    }
    try {
      Class.forName(name.startsWith("kafka.") ? name : "org.apache.kafka.tools." + name).getMethod("main", String[].class).invoke(null, (Object) args.toArray(String[]::new));
    } catch (InvocationTargetException error) {
      if (error.getCause() instanceof Ended) return;
      System.err.println(error.getCause());
      ended = 1;
    }
  }

  /** As a shell takes it: words with blanks stand between quotes, and @ is the folder of the story's files. */
  private List<String> words(String commandLine) {
    List<String> words = new ArrayList<>();
    Matcher matcher = Pattern.compile("'([^']*)'|(\\S+)").matcher(commandLine);
    while (matcher.find()) words.add(matcher.group(1) != null ? matcher.group(1) : matcher.group(2).replaceFirst("^@/", folder + "/"));
    return words;
  }

  private void file(String name, String content) {
    try {
      Files.writeString(folder.resolve(name), content);
    } catch (IOException error) {
      throw new IllegalStateException(error);
    }
  }

  /** Without traces, and without the usage that follows an error. Formatters print JSON without line ends. */
  private List<String> lines(String printed) {
    return printed.replaceAll("\\}(?=\\{\"key\"|Processed a total)", "}\n").lines()
        .takeWhile(line -> !line.startsWith("Option  "))
        .filter(line -> !line.matches("\\s+at .*|\\s*\\.\\.\\. \\d+ more|\\s*min\\.insync\\.replicas=.*") && !line.isBlank())
        .map(this::plain).toList();
  }

  /**
   * Without what is another at every run, in the order of a hash, worded for people (what comes after an error's class), or for the coordinators alone.
   * That Apache Kafka sets min.insync.replicas for its cluster is no answer to a tool.
   */
  private String plain(String line) {
    return withoutFolders(line.replaceAll("\\s+", " ").trim())
        .replaceAll("console-consumer-\\d+", "console-consumer-N")
        .replaceAll("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=[ =\\t]|\"topicId\":\")(?=[A-Za-z0-9_-]*[a-z])(?=[A-Za-z0-9_-]*[A-Z])[A-Za-z0-9_-]{22}(?=[\\s\")]|$)", "ID")
        .replaceAll("(60000 1[5-9]\\d{11}) \\d+", "$1 DURATION")
        .replaceAll("\\b1[5-9]\\d{11}\\b", "TIME")
        .replaceAll("\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?([+-]\\d\\d:?\\d\\d|Z)?", "DATE")
        .replaceAll("min\\.insync\\.replicas=1,?", "")
        .replaceAll("(Valid states are:|only supports operations) .*", "$1")
        .replaceAll("((org\\.apache\\.kafka\\.common\\.errors\\.\\w+): )+.*", "$2")
        .replaceAll("(?<=Error while executing topic command : )(?!.*does not exist as expected).*", "MESSAGE")
        .replaceAll("valueSize: \\d+ (?=.*transactionalId)|\"previousProducerId\":\\d+,|,\"topicId\":\"ID\"", "")
        .replaceAll("\"version\":(\"?)4\"?(?=,\"data\":\\{\"offset\")", "\"version\":$13$1")
        .replaceAll("(Epoch|crc): \\d+", "$1: N");
  }

  private String withoutFolders(String line) {
    return line.replace(folder.toString(), "@")
        .replaceAll("/[^\\s\"]*(millrace-apache-kafka-\\w+/log|millrace-interop-\\w+)", "LOG")
        .replaceAll("\\b(127\\.0\\.0\\.1|localhost)[: ]+\\d{4,5}\\b", "BROKER");
  }

  private static class Ended extends Error {
  }

  private static class Captured extends OutputStream {
    @Override
    public void write(int octet) throws IOException {
      captured.write(octet);
    }

    @Override
    public void write(byte[] octets, int from, int count) throws IOException {
      captured.write(octets, from, count);
    }
  }
}
