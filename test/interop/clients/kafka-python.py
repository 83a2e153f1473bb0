"""The story of kafka-python (Debian: python3-kafka; PyPI), which shares no code with the others: kafka-python.py BOOTSTRAP TOPIC."""

import sys
import threading

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.errors import KafkaError, for_code

from story import PARTITIONS, RECORDS, FIRST_TIMESTAMP, Absent, read_record, record, tell, until

bootstrap, topic = sys.argv[1:3]
group = f"{topic}-group"
admin = KafkaAdminClient(bootstrap_servers=bootstrap)
# Version 3 says it in other words, and an outcome by its name.
NEWER = hasattr(admin, "describe_groups")
# One of version 3.0 whose time is over while SyncGroup is answered forgets its assignment and waits for ever.
POLL_MS = 1000 if NEWER else 100
CODES = {"OK": 0, "NonEmptyGroupError": 68}
all_partitions = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]


def partitions_of(name):
    (found,) = admin.describe_topics([name])
    return len(found["partitions"])


def consumer(group_id=None):
    return KafkaConsumer(bootstrap_servers=bootstrap, group_id=group_id, auto_offset_reset="earliest", enable_auto_commit=False, session_timeout_ms=6000, heartbeat_interval_ms=200)


def polled(member):
    return [message for messages in member.poll(timeout_ms=POLL_MS).values() for message in messages]


def one(member):
    return until("a record", lambda: next(iter(polled(member)), None))


def create():
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    try:
        admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
        again = 0
    except KafkaError as failure:
        again = failure.errno
    return {"partitions": partitions_of(topic), "again": again}


def produce():
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", compression_type="gzip", linger_ms=5)
    sent = []
    for i in range(RECORDS):
        key, value, timestamp, headers = record(i)
        sent.append(producer.send(topic, value, key, headers, i % PARTITIONS, timestamp))
    for each in sent:
        each.get(timeout=20)
    producer.close()
    reader = consumer()
    ends = reader.end_offsets(all_partitions)
    reader.close()
    return {"ends": [ends[partition] for partition in all_partitions]}


def read():
    reader = consumer()
    reader.assign(all_partitions)
    reader.seek_to_beginning()
    records = []
    until("every record", lambda: records.extend(polled(reader)) or (len(records) >= RECORDS or None))
    reader.close()
    return {"records": sorted((read_record(m.partition, m.offset, m.key, m.value, m.timestamp, m.headers) for m in records), key=lambda each: each[:2])}


def times():
    reader = consumer()
    found = reader.offsets_for_times({partition: FIRST_TIMESTAMP + 30_500 for partition in all_partitions})
    reader.close()
    return {"offsets": [found[partition].offset for partition in all_partitions]}


def seek():
    reader = consumer()
    reader.assign([TopicPartition(topic, 1)])
    reader.seek(TopicPartition(topic, 1), 15)
    value = one(reader).value.decode()
    reader.close()
    return {"value": value}


def group_shares():
    seen = set()
    members = [consumer(group)]
    members[0].subscribe([topic])

    def poll_all():
        for member in members:
            seen.update((message.partition, message.offset) for message in polled(member))

    def shares(wanted):
        poll_all()
        found = [sorted(each.partition for each in member.assignment()) for member in members]
        return found if all(found) and sum(map(len, found)) == wanted else None

    (alone,) = until("an assignment", lambda: shares(PARTITIONS))
    # A join waits for every member to join again, so that each needs a thread of its own until then.
    members.append(consumer(group))
    joining = threading.Thread(target=lambda: (members[1].subscribe([topic]), until("joining", lambda: members[1].poll(POLL_MS) is not None and members[1].assignment() or None)))
    joining.start()
    until("a rebalance", lambda: seen.update((m.partition, m.offset) for m in polled(members[0])) or (not joining.is_alive() or None))
    shared = until("a second assignment", lambda: shares(PARTITIONS))
    for member in members:
        member.seek_to_beginning()
    until("all records", lambda: poll_all() or (len(seen) == RECORDS or None))
    for member in members:
        member.commit({partition: OffsetAndMetadata(RECORDS // PARTITIONS, "") for partition in member.assignment()})
    committed = [members[0].committed(partition) for partition in all_partitions]
    for member in members:
        member.close(autocommit=False)
    return {"alone": alone, "shared": shared, "read": len(seen), "committed": committed}


def resume():
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    producer.send(topic, b"one more", partition=2).get(timeout=20)
    producer.close()
    resume.member = consumer(group)
    resume.member.subscribe([topic])
    return {"value": one(resume.member).value.decode()}


def listed():
    names = [each["group_id"] for each in admin.list_groups()] if NEWER else [name for name, _ in admin.list_consumer_groups()]
    return group in names


def groups():
    if NEWER:
        found = admin.describe_groups([group])[group]
        return {"listed": listed(), "state": found["group_state"], "members": len(found["members"])}
    (found,) = admin.describe_consumer_groups([group])
    return {"listed": listed(), "state": found.state, "members": len(found.members)}


def delete_group():
    def code():
        if NEWER:
            return CODES[admin.delete_groups([group])[group]]
        ((_, failure),) = admin.delete_consumer_groups([group])
        return failure.errno

    refused = code()
    resume.member.close(autocommit=False)
    until("an empty group", lambda: code() == 0 or None)
    return {"refused": refused, "listed": listed()}


def configs():
    def retention():
        answers = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)], **({"config_filter": "all"} if NEWER else {}))
        if NEWER:
            return answers["topic"][topic]["retention.ms"]["value"]
        (answer,) = answers
        return next(value for name, value, *_ in answer.resources[0][4] if name == "retention.ms")

    before = retention()
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "123456"})])
    return {"before": before, "after": retention()}


def partitions():
    admin.create_partitions({topic: NewPartitions(5)})
    return {"partitions": partitions_of(topic)}


def delete_records():
    if not NEWER:
        raise Absent("kafka-python 2.0 cannot delete records")
    mark = admin.delete_records({all_partitions[0]: 12})[all_partitions[0]]["low_watermark"]
    reader = consumer()
    first = reader.beginning_offsets(all_partitions[:1])[all_partitions[0]]
    reader.close()
    return {"lowWatermark": mark, "first": first}


def delete_topic():
    admin.delete_topics([topic])
    # A cluster's brokers hear of it a little later.
    until("the end of the topic", lambda: True if topic not in admin.list_topics() else None)
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
