"""Python's clients where a broker asks who they are: secure.py confluent|kafka-python|aiokafka BOOTSTRAP TOPIC, settings as JSON on standard input.

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


def aiokafka():
    import asyncio

    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from aiokafka.helpers import create_ssl_context

    files = {name: settings.pop(f"ssl_{name}") for name in ("cafile", "certfile", "keyfile") if f"ssl_{name}" in settings}

    async def there_and_back():
        common = {"bootstrap_servers": bootstrap, **settings, **({"ssl_context": create_ssl_context(**files)} if settings["security_protocol"].endswith("SSL") else {})}
        async with AIOKafkaProducer(**common) as producer:
            await producer.send_and_wait(topic, value)
        async with AIOKafkaConsumer(topic, group_id=f"{topic}-group", auto_offset_reset="earliest", **common) as consumer:
            return (await asyncio.wait_for(consumer.getone(), 20)).value

    return asyncio.run(there_and_back())


read = {"confluent": confluent, "kafka-python": kafka_python, "aiokafka": aiokafka}[client]()
assert read == value, "other bytes came back"
print(len(read))
