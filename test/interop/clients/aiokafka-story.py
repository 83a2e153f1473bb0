"""The story of aiokafka (PyPI), which has a codec and a group coordinator of its own: aiokafka-story.py BOOTSTRAP TOPIC."""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from story import PARTITIONS, RECORDS, FIRST_TIMESTAMP, Absent, read_record, record, tell

bootstrap, topic = sys.argv[1:3]
group = f"{topic}-group"
all_partitions = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
loop = asyncio.new_event_loop()


async def opened(client):
    await client.start()
    return client


def consumer(group_id=None, *topics):
    return opened(AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, group_id=group_id, auto_offset_reset="earliest", enable_auto_commit=False, session_timeout_ms=6000, heartbeat_interval_ms=200,
        metadata_max_age_ms=500, partition_assignment_strategy=(StickyPartitionAssignor, RoundRobinPartitionAssignor),
    ))


async def until(what, poll, seconds=30):
    """Calls poll until it gives something else than None."""
    end = loop.time() + seconds
    while loop.time() < end:
        found = await poll()
        if found is not None:
            return found
    raise TimeoutError(f"{what} did not happen in {seconds} s")


async def polled(member):
    return [message for messages in (await member.getmany(timeout_ms=100)).values() for message in messages]


async def partitions_of(name):
    (found,) = await admin.describe_topics([name])
    return None if found["error_code"] else len(found["partitions"])


async def create():
    codes = [(await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])).topic_errors[0][1] for _ in range(2)]
    assert codes[0] == 0, codes
    return {"partitions": await partitions_of(topic), "again": codes[1]}


async def produce():
    producer = await opened(AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=5, compression_type="zstd"))
    sent = []
    for i in range(RECORDS):
        key, value, timestamp, headers = record(i)
        sent.append(await producer.send(topic, value, key, i % PARTITIONS, timestamp, headers))
    await asyncio.gather(*sent)
    await producer.stop()
    reader = await consumer()
    ends = await reader.end_offsets(all_partitions)
    await reader.stop()
    return {"ends": [ends[partition] for partition in all_partitions]}


async def read():
    reader = await consumer()
    reader.assign(all_partitions)
    await reader.seek_to_beginning()
    records = []

    async def enough():
        records.extend(await polled(reader))
        return True if len(records) >= RECORDS else None

    await until("every record", enough)
    await reader.stop()
    return {"records": sorted((read_record(m.partition, m.offset, m.key, m.value, m.timestamp, m.headers) for m in records), key=lambda each: each[:2])}


async def times():
    reader = await consumer()
    found = await reader.offsets_for_times({partition: FIRST_TIMESTAMP + 30_500 for partition in all_partitions})
    await reader.stop()
    return {"offsets": [found[partition].offset for partition in all_partitions]}


async def seek():
    reader = await consumer()
    reader.assign([TopicPartition(topic, 1)])
    reader.seek(TopicPartition(topic, 1), 15)
    value = (await reader.getone()).value.decode()
    await reader.stop()
    return {"value": value}


async def group_shares():
    seen = set()
    members = [await consumer(group, topic)]

    async def poll_all():
        for found in await asyncio.gather(*map(polled, members)):
            seen.update((message.partition, message.offset) for message in found)

    async def shares():
        await poll_all()
        found = [sorted(each.partition for each in member.assignment()) for member in members]
        return found if all(found) and sum(map(len, found)) == PARTITIONS else None

    async def all_records():
        await poll_all()
        return True if len(seen) == RECORDS else None

    (alone,) = await until("an assignment", shares)
    members.append(await consumer(group, topic))
    shared = await until("a second assignment", shares)
    for member in members:
        await member.seek_to_beginning()
    await until("all records", all_records)
    for member in members:
        await member.commit({partition: RECORDS // PARTITIONS for partition in member.assignment()})
    committed = [await members[0].committed(partition) for partition in all_partitions]
    await asyncio.gather(*(member.stop() for member in members))
    return {"alone": alone, "shared": shared, "read": len(seen), "committed": committed}


async def resume():
    producer = await opened(AIOKafkaProducer(bootstrap_servers=bootstrap))
    await producer.send_and_wait(topic, b"one more", partition=2)
    await producer.stop()
    resume.member = await consumer(group, topic)
    return {"value": (await resume.member.getone()).value.decode()}


async def groups():
    ((_, _, state, _, _, members, *_),) = (await admin.describe_consumer_groups([group]))[0].groups
    listed = group in [name for name, *_ in await admin.list_consumer_groups()]
    offsets = await admin.list_consumer_group_offsets(group)
    assert [offsets[partition].offset for partition in all_partitions] == [RECORDS // PARTITIONS] * PARTITIONS, offsets
    await resume.member.stop()
    return {"listed": listed, "state": state, "members": len(members)}


async def configs():
    async def retention():
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return next(value for name, value, *_ in answer.resources[0][4] if name == "retention.ms")

    before = await retention()
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "123456"})])
    return {"before": before, "after": await retention()}


async def partitions():
    await admin.create_partitions({topic: NewPartitions(5)})
    return {"partitions": await partitions_of(topic)}


async def delete_records():
    marks = await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(12)})
    reader = await consumer()
    first = await reader.beginning_offsets([TopicPartition(topic, 0)])
    await reader.stop()
    return {"lowWatermark": marks[TopicPartition(topic, 0)], "first": first[TopicPartition(topic, 0)]}


async def delete_topic():
    await admin.delete_topics([topic])

    async def gone():
        return True if topic not in await admin.list_topics() else None

    await until("the end of the topic", gone)
    return {"listed": False}


async def absent(what):
    raise Absent(what)


async def transactions():
    """What commits, aborts and takes offsets along, read back by a reader of what is committed; and a producer that another one fences."""
    name, source = f"{topic}-transactions", TopicPartition(f"{topic}-source", 0)
    producer = lambda: opened(AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=name))
    await admin.create_topics([NewTopic(name, 1, 1), NewTopic(source.topic, 1, 1)])
    zombie = await producer()
    for value in range(6):
        await zombie.begin_transaction()
        await zombie.send_and_wait(name, str(value).encode())
        await zombie.send_offsets_to_transaction({source: value}, group)
        await (zombie.abort_transaction() if value % 3 == 2 else zombie.commit_transaction())
    await zombie.begin_transaction()
    await zombie.send_and_wait(name, b"zombie")
    heir = await producer()
    async with heir.transaction():
        await heir.send_and_wait(name, b"heir")
    try:
        await zombie.commit_transaction()
        fenced = None
    except Exception as failure:
        fenced = type(failure).__name__
    for each in (zombie, heir):
        await each.stop()
    offsets = await admin.list_consumer_group_offsets(group)
    values = {isolation: await values_of(name, isolation) for isolation in ("read_committed", "read_uncommitted")}
    return {"fenced": fenced, "offset": offsets[source].offset, **values}


async def values_of(name, isolation):
    place = TopicPartition(name, 0)
    reader = await opened(AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", isolation_level=isolation))
    reader.assign([place])
    end = (await reader.end_offsets([place]))[place]
    values = []

    async def ended():
        values.extend(message.value.decode() for message in await polled(reader))
        return True if await reader.position(place) >= end else None

    await until("the end", ended)
    await reader.stop()
    return values


async def open_admin():
    return await opened(AIOKafkaAdminClient(bootstrap_servers=bootstrap))


admin = loop.run_until_complete(open_admin())
for step, act in {
    "create": create, "produce": produce, "read": read, "times": times, "seek": seek, "group": group_shares, "resume": resume, "groups": groups,
    "deleteGroup": lambda: absent("aiokafka cannot delete groups"),
    "configs": configs, "partitions": partitions, "deleteRecords": delete_records, "transactions": transactions, "deleteTopic": delete_topic,
}.items():
    tell(step, lambda: loop.run_until_complete(act()))
loop.run_until_complete(admin.close())
