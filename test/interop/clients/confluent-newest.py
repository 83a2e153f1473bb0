"""What the newest librdkafka can beyond confluent.py (PyPI): groups whose broker shares the partitions out (KIP-848), and the rest of its admin client: confluent-newest.py BOOTSTRAP TOPIC."""

import sys

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, ElectionType, IsolationLevel, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka import ConsumerGroupType
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, OffsetSpec, ResourceType, ScramCredentialInfo, ScramMechanism,
    UserScramCredentialDeletion, UserScramCredentialUpsertion,
)

from story import tell, until

bootstrap, topic = sys.argv[1:3]
group = f"{topic}-group"
PARTITIONS, RECORDS = 4, 40
admin = AdminClient({"bootstrap.servers": bootstrap})


class Member:
    """A member of the group that keeps its partitions as it is told of them, a few at a time."""

    def __init__(self, pattern=None, **settings):
        self.partitions, self.read, self.commits = set(), set(), []
        self.consumer = Consumer({
            "bootstrap.servers": bootstrap, "group.id": group, "group.protocol": "consumer", "auto.offset.reset": "earliest", "enable.auto.commit": False,
            "topic.metadata.refresh.interval.ms": 500, "on_commit": lambda error, places: self.commits.append((error, len(places))), **settings,
        })
        self.consumer.subscribe([pattern or topic], on_assign=self.assigned, on_revoke=self.revoked, on_lost=self.revoked)

    def assigned(self, consumer, partitions):
        self.partitions |= {each.partition for each in partitions}
        consumer.incremental_assign(partitions)

    def revoked(self, consumer, partitions):
        self.partitions -= {each.partition for each in partitions}
        consumer.incremental_unassign(partitions)

    def poll(self):
        message = self.consumer.poll(0.05)
        if message is not None:
            if message.error():
                raise KafkaException(message.error())
            self.read.add((message.partition(), message.offset()))


def shared(members, wanted):
    """What each holds, once these are all and each has as many as is wanted."""

    def shares():
        for member in members:
            member.poll()
        found = [sorted(member.partitions) for member in members]
        return found if [len(each) for each in found] == wanted and sorted(sum(found, [])) == list(range(PARTITIONS)) else None

    return until("sharing out", shares)


def result_of(futures):
    (future,) = futures.values()
    try:
        return future.result(20)
    except KafkaException as failure:
        return failure.args[0].name()


def create():
    assert result_of(admin.create_topics([NewTopic(topic, PARTITIONS, 1)])) is None
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "compression.type": "zstd"})
    for i in range(RECORDS):
        producer.produce(topic, str(i).encode(), partition=i % PARTITIONS, timestamp=1_700_000_000_000 + i)
    assert producer.flush(20) == 0
    found = result_of(admin.describe_topics(TopicCollection([topic])))
    return {"partitions": len(found.partitions), "leaders": sorted({each.leader is not None for each in found.partitions})}


def consumer_group():
    first = Member()
    shared([first], [PARTITIONS])
    second = Member()
    shares = shared([first, second], [2, 2])
    until("all records", lambda: [first.poll(), second.poll()] and (len(first.read | second.read) == RECORDS or None))
    for member in (first, second):
        member.consumer.commit(offsets=[TopicPartition(topic, each, RECORDS // PARTITIONS) for each in member.partitions], asynchronous=True)
    until("commits", lambda: [first.poll(), second.poll()] and (True if first.commits and second.commits else None))
    described = result_of(admin.describe_consumer_groups([group]))
    listed = admin.list_consumer_groups(types={ConsumerGroupType.CONSUMER}).result(20).valid
    second.consumer.close()
    shared([first], [PARTITIONS])
    first.consumer.close()
    return {
        "shares": [len(each) for each in shares], "commits": [[None if error is None else str(error), count] for error, count in first.commits + second.commits],
        "type": described.type.name, "state": described.state.name, "members": len(described.members), "listed": group in [each.group_id for each in listed],
        "targets": sorted(len(each.target_assignment.topic_partitions) for each in described.members),
    }


def static_member():
    """One that goes and comes back by its name finds its partitions again, and another one of that name is refused."""
    of_group = {"group.id": f"{topic}-static"}
    of_name = {**of_group, "group.instance.id": "named"}
    stays, named = Member(**of_group), Member(**of_name)
    before = shared([stays, named], [2, 2])
    twin = Member(**of_name)

    def refusal():
        stays.poll()
        try:
            twin.poll()
        except KafkaException as failure:
            return failure.args[0].name()
        return None

    refused = until("a refusal", refusal)
    twin.consumer.close()
    named.consumer.close()
    named = Member(**of_name)
    after = shared([stays, named], [2, 2])
    stays.consumer.close()
    named.consumer.close()
    return {"same": before == after, "refused": refused}


def pattern():
    member = Member(f"^{topic[:-1]}.$")
    shares = shared([member], [PARTITIONS])
    member.consumer.close()
    return {"shares": [len(each) for each in shares]}


def offsets():
    place = lambda partition, offset=-1001: TopicPartition(topic, partition, offset)
    committed = lambda: [each.offset for each in result_of(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [place(0), place(1)])])).topic_partitions]
    before = committed()
    result_of(admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [place(0, 3)])]))
    specs = {"earliest": OffsetSpec.earliest(), "latest": OffsetSpec.latest(), "maxTimestamp": OffsetSpec.max_timestamp(), "time": OffsetSpec.for_timestamp(1_700_000_000_017)}
    found = {name: result_of(admin.list_offsets({place(1): spec}, isolation_level=IsolationLevel.READ_COMMITTED)).offset for name, spec in specs.items()}
    return {"before": before, "after": committed(), "found": found, "deleted": [result_of(admin.delete_consumer_groups([group])) for _ in range(2)]}


def configs():
    def change(name, value, operation, kind=ResourceType.TOPIC, of=topic):
        return result_of(admin.incremental_alter_configs([ConfigResource(kind, of, incremental_configs=[ConfigEntry(name, value, incremental_operation=operation)])]))

    changed = [
        change("retention.ms", "1000000", AlterConfigOpType.SET), change("cleanup.policy", "compact", AlterConfigOpType.APPEND), change("retention.ms", "soon", AlterConfigOpType.SET),
        change("retention.ms", "1", AlterConfigOpType.APPEND), change("consumer.session.timeout.ms", "50000", AlterConfigOpType.SET, ResourceType.GROUP, group),
    ]
    of_topic = result_of(admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]))
    of_group = result_of(admin.describe_configs([ConfigResource(ResourceType.GROUP, group)]))
    return {"changed": changed, "topic": [of_topic[name].value for name in ("retention.ms", "cleanup.policy")], "group": of_group["consumer.session.timeout.ms"].value}


def users():
    user, nobody = f"{topic}-user", f"{topic}-nobody"
    make = result_of(admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 8192), b"secret", b"salt")]))
    found = [result_of(admin.describe_user_scram_credentials([name])) for name in (user, nobody)]
    gone = [result_of(admin.alter_user_scram_credentials([UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)])) for _ in range(2)]
    return {"made": make, "iterations": found[0].scram_credential_infos[0].iterations, "nobody": found[1], "gone": gone}


def cluster():
    found = admin.describe_cluster(include_authorized_operations=True).result(20)
    elected = admin.elect_leaders(ElectionType.PREFERRED, [TopicPartition(topic, 0)]).result(20)
    return {"nodes": len(found.nodes), "operations": len(found.authorized_operations), "elected": [each.name() for each in elected.values()]}


for step, act in {"create": create, "consumerGroup": consumer_group, "staticMember": static_member, "pattern": pattern, "offsets": offsets, "configs": configs, "users": users, "cluster": cluster}.items():
    tell(step, act)
