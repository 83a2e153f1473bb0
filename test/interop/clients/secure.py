"""Python's clients where a broker asks who they are: secure.py confluent|kafka-python BOOTSTRAP TOPIC, settings as JSON on standard input.

Writes a large record to the topic, reads it back, and prints how many bytes came.
"""

import json
import sys

client, bootstrap, topic = sys.argv[1:4]
settings = json.load(sys.stdin)
value = bytes(i % 251 for i in range(300_000))


def confluent():
    from confluent_kafka import Consumer, KafkaException, Producer

    failures = []
    common = {"bootstrap.servers": bootstrap, "error_cb": lambda error: failures.append(str(error)), **settings}
    producer = Producer(common)
    producer.produce(topic, value, on_delivery=lambda error, _: failures.append(str(error)) if error else None)
    if producer.flush(10) > 0 or failures:
        sys.exit("; ".join(failures))
    consumer = Consumer({**common, "group.id": f"{topic}-group", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    message = consumer.poll(20)
    if message is None or message.error():
        sys.exit("; ".join(failures) if message is None else str(message.error()))
    consumer.close()
    return message.value()


def kafka_python():
    from kafka import KafkaConsumer, KafkaProducer

    producer = KafkaProducer(bootstrap_servers=bootstrap, **settings)
    producer.send(topic, value).get(timeout=10)
    producer.close()
    consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=f"{topic}-group", auto_offset_reset="earliest", consumer_timeout_ms=20_000, **settings)
    message = next(iter(consumer))
    consumer.close()
    return message.value


read = confluent() if client == "confluent" else kafka_python()
assert read == value, "other bytes came back"
print(len(read))
