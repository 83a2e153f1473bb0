"""Transactions through confluent-kafka (librdkafka): confluent-transactions.py BOOTSTRAP TOPIC."""

import sys

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from story import tell, until

bootstrap, topic = sys.argv[1:3]
source, sink, group = f"{topic}-source", f"{topic}-sink", f"{topic}-group"
PARTITIONS = 3


def producer(name):
    made = Producer({"bootstrap.servers": bootstrap, "transactional.id": f"{topic}-{name}", "transaction.timeout.ms": 20_000})
    made.init_transactions(20)
    return made


def consumer(isolation, **settings):
    return Consumer({"bootstrap.servers": bootstrap, "group.id": f"{topic}-alone", "auto.offset.reset": "earliest", "enable.auto.commit": False, "isolation.level": isolation, "enable.partition.eof": True, **settings})


def read(name, isolation):
    """All values up to the end of every partition, as that isolation has it."""
    reader = consumer(isolation)
    reader.assign([TopicPartition(name, partition, 0) for partition in range(PARTITIONS)])
    values, ended = [], set()

    def poll():
        message = reader.poll(0.2)
        if message is not None and message.error() is not None:
            ended.add(message.partition())
        elif message is not None:
            values.append(message.value().decode())
        return True if len(ended) == PARTITIONS else None

    until("the end", poll)
    reader.close()
    return sorted(values)


def create():
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in (topic, source, sink)]).values():
        future.result()
    return {}


def commit_and_abort():
    writer = producer("writer")
    for transaction in range(6):
        writer.begin_transaction()
        for i in range(5):
            writer.produce(topic, f"{transaction}.{i}".encode(), partition=i % PARTITIONS)
        if transaction % 3 == 2:
            writer.flush(20)
            writer.abort_transaction(20)
        else:
            writer.commit_transaction(20)
    return {"committed": read(topic, "read_committed"), "all": read(topic, "read_uncommitted")}


def open_transaction():
    writer = producer("open")
    writer.begin_transaction()
    writer.produce(topic, b"open", partition=0)
    writer.flush(20)
    before = "open" in read(topic, "read_committed")
    writer.commit_transaction(20)
    return {"before": before, "after": until("the record", lambda: True if "open" in read(topic, "read_committed") else None)}


def fencing():
    zombie = producer("fenced")
    zombie.begin_transaction()
    zombie.produce(topic, b"zombie", partition=0)
    zombie.flush(20)
    heir = producer("fenced")
    heir.begin_transaction()
    heir.produce(topic, b"heir", partition=0)
    heir.commit_transaction(20)
    try:
        zombie.commit_transaction(20)
        failure = None
    except KafkaException as raised:
        failure = {"fatal": raised.args[0].fatal(), "code": raised.args[0].name()}
    values = read(topic, "read_committed")
    return {"failure": failure, "zombie": "zombie" in values, "heir": "heir" in values}


def consume_and_produce():
    """Doubles what is in the source, exactly once, with an abort between: what was read then is read again."""
    feeder = Producer({"bootstrap.servers": bootstrap})
    for i in range(60):
        feeder.produce(source, str(i).encode(), partition=i % PARTITIONS)
    feeder.flush(20)
    member = consumer("read_committed", **{"group.id": group})
    member.subscribe([source])
    writer = producer("doubler")
    done, turn = 0, 0
    while done < 60:
        batch = until("records", lambda: [m for m in member.consume(10, 0.5) if m.error() is None] or None)
        writer.begin_transaction()
        for message in batch:
            writer.produce(sink, str(2 * int(message.value())).encode(), partition=message.partition())
        positions = member.position(member.assignment())
        writer.send_offsets_to_transaction(positions, member.consumer_group_metadata(), 20)
        if turn == 2:
            writer.abort_transaction(20)
            for place in member.committed(member.assignment(), timeout=20):
                member.seek(TopicPartition(place.topic, place.partition, max(0, place.offset)))
        else:
            writer.commit_transaction(20)
            done += len(batch)
        turn += 1
    committed = member.committed([TopicPartition(source, partition) for partition in range(PARTITIONS)], timeout=20)
    member.close()
    return {"sink": sorted(map(int, read(sink, "read_committed"))), "committed": [each.offset for each in committed]}


tell("create", create)
tell("commitAndAbort", commit_and_abort)
tell("openTransaction", open_transaction)
tell("fencing", fencing)
tell("consumeAndProduce", consume_and_produce)
