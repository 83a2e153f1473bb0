"""The story of librdkafka through confluent-kafka (Debian: python3-confluent-kafka; PyPI): confluent.py BOOTSTRAP TOPIC."""

import sys
import warnings

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from story import PARTITIONS, RECORDS, FIRST_TIMESTAMP, Absent, read_record, record, tell, until

warnings.simplefilter("ignore", DeprecationWarning)  # The old one knows nothing else.
bootstrap, topic = sys.argv[1:3]
group = f"{topic}-group"
admin = AdminClient({"bootstrap.servers": bootstrap})


def outcome(futures):
    """The error code of the only one of them, 0 for none."""
    (future,) = futures.values()
    try:
        future.result()
        return 0
    except KafkaException as failure:
        return failure.args[0].code()


def partitions_of(name):
    found = admin.list_topics(timeout=10).topics.get(name)
    return None if found is None else len(found.partitions)


def consumer(**settings):
    return Consumer({"bootstrap.servers": bootstrap, "group.id": f"{topic}-alone", "auto.offset.reset": "earliest", "enable.auto.commit": False, "session.timeout.ms": 6000, **settings})


def polled(member, timeout=0.1):
    message = member.poll(timeout)
    if message is not None and message.error():
        raise KafkaException(message.error())
    return message


def create():
    code = outcome(admin.create_topics([NewTopic(topic, PARTITIONS, 1)]))
    assert code == 0, code
    again = outcome(admin.create_topics([NewTopic(topic, PARTITIONS, 1)]))
    return {"partitions": partitions_of(topic), "again": again}


def produce():
    failures = []
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5, "compression.type": "lz4"})
    for i in range(RECORDS):
        key, value, timestamp, headers = record(i)
        producer.produce(topic, value, key, i % PARTITIONS, on_delivery=lambda error, _: error and failures.append(str(error)), timestamp=timestamp, headers=headers)
    assert producer.flush(20) == 0 and not failures, failures
    reader = consumer()
    ends = [reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1] for partition in range(PARTITIONS)]
    reader.close()
    return {"ends": ends}


def read():
    reader = consumer()
    reader.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
    records = []
    while len(records) < RECORDS:
        message = until("a record", lambda: polled(reader))
        records.append(read_record(message.partition(), message.offset(), message.key(), message.value(), message.timestamp()[1], message.headers()))
    reader.close()
    return {"records": sorted(records, key=lambda each: each[:2])}


def times():
    reader = consumer()
    found = reader.offsets_for_times([TopicPartition(topic, partition, FIRST_TIMESTAMP + 30_500) for partition in range(PARTITIONS)], timeout=10)
    reader.close()
    return {"offsets": [each.offset for each in found]}


def seek():
    reader = consumer()
    reader.assign([TopicPartition(topic, 1, 0)])
    until("a record", lambda: polled(reader))
    reader.seek(TopicPartition(topic, 1, 15))
    message = until("a record", lambda: polled(reader))
    reader.close()
    return {"value": message.value().decode()}


def group_shares():
    seen = set()
    members = [consumer(**{"group.id": group})]
    members[0].subscribe([topic])

    def poll_all():
        for member in members:
            message = polled(member)
            if message is not None:
                seen.add((message.partition(), message.offset()))

    def shares(wanted):
        poll_all()
        found = [sorted(each.partition for each in member.assignment()) for member in members]
        return found if all(found) and sum(map(len, found)) == wanted else None

    (alone,) = until("an assignment", lambda: shares(PARTITIONS))
    members.append(consumer(**{"group.id": group}))
    members[1].subscribe([topic])
    shared = until("a second assignment", lambda: shares(PARTITIONS))
    until("all records", lambda: poll_all() or (len(seen) == RECORDS or None))
    for member in members:
        member.commit(offsets=[TopicPartition(topic, partition.partition, RECORDS // PARTITIONS) for partition in member.assignment()], asynchronous=False)
    committed = members[0].committed([TopicPartition(topic, partition) for partition in range(PARTITIONS)], timeout=10)
    for member in members:
        member.close()
    return {"alone": alone, "shared": shared, "read": len(seen), "committed": [each.offset for each in committed]}


def resume():
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, b"one more", partition=2)
    producer.flush(20)
    resume.member = consumer(**{"group.id": group})
    resume.member.subscribe([topic])
    return {"value": until("a record", lambda: polled(resume.member)).value().decode()}


def groups():
    (found,) = admin.list_groups(group, timeout=10)
    listed = group in [each.id for each in admin.list_groups(timeout=10)]
    return {"listed": listed, "state": found.state, "members": len(found.members)}


def delete_group():
    if not hasattr(admin, "delete_consumer_groups"):
        raise Absent("confluent-kafka 1.7 cannot delete groups")
    refused = outcome(admin.delete_consumer_groups([group]))
    resume.member.close()
    until("an empty group", lambda: outcome(admin.delete_consumer_groups([group])) == 0 or None)
    return {"refused": refused, "listed": group in [each.id for each in admin.list_groups(timeout=10)]}


def configs():
    def retention():
        (future,) = admin.describe_configs([ConfigResource("topic", topic)]).values()
        return future.result()["retention.ms"].value

    before = retention()
    code = outcome(admin.alter_configs([ConfigResource("topic", topic, {"retention.ms": "123456"})]))
    assert code == 0, code
    return {"before": before, "after": retention()}


def partitions():
    code = outcome(admin.create_partitions([NewPartitions(topic, 5)]))
    assert code == 0, code
    return {"partitions": partitions_of(topic)}


def delete_records():
    if not hasattr(admin, "delete_records"):
        raise Absent("confluent-kafka 1.7 cannot delete records")
    (future,) = admin.delete_records([TopicPartition(topic, 0, 12)]).values()
    reader = consumer()
    first, _ = reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
    reader.close()
    return {"lowWatermark": future.result().low_watermark, "first": first}


def delete_topic():
    code = outcome(admin.delete_topics([topic], operation_timeout=10))
    assert code == 0, code
    # A cluster's brokers hear of it a little later.
    until("the end of the topic", lambda: True if partitions_of(topic) is None else None)
    return {"listed": False}


tell("create", create)
tell("produce", produce)
tell("read", read)
tell("times", times)
tell("seek", seek)
tell("group", group_shares)
tell("resume", resume)
tell("groups", groups)
tell("deleteGroup", delete_group)
tell("configs", configs)
tell("partitions", partitions)
tell("deleteRecords", delete_records)
tell("deleteTopic", delete_topic)
