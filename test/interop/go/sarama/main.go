// The stories of Sarama: sarama story|balancers|transactions|secure BOOTSTRAP TOPIC [MECHANISM USER PASSWORD [CA]].
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/IBM/sarama"

	"millrace.test/story"
)

var (
	bootstrap, topic = []string{os.Args[2]}, os.Args[3]
	group            = topic + "-group"
	ctx, cancel      = context.WithTimeout(context.Background(), 100*time.Second)
)

func main() {
	defer cancel()
	switch os.Args[1] {
	case "story":
		tellStory()
	case "balancers":
		tellBalancers()
	case "transactions":
		tellTransactions()
	case "secure":
		tellSecure(os.Args[4:])
	}
}

func settings() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.MaxWaitTime = 100 * time.Millisecond
	config.Consumer.Group.Session.Timeout = 6 * time.Second
	config.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	return config
}

func idempotent(config *sarama.Config) *sarama.Config {
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1
	return config
}

func tellStory() {
	admin := story.Must(sarama.NewClusterAdmin(bootstrap, settings()))
	defer admin.Close()
	detail := &sarama.TopicDetail{NumPartitions: story.Partitions, ReplicationFactor: 1}

	story.Tell("create", func() story.Line {
		story.Check(admin.CreateTopic(topic, detail, false))
		again := admin.CreateTopic(topic, detail, false)
		return story.Line{"partitions": partitionsOf(admin), "again": codeOf(again)}
	})

	story.Tell("produce", func() story.Line {
		codecs := []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD}
		for i, codec := range codecs {
			config := settings()
			if i == 0 {
				config.Producer.RequiredAcks = sarama.WaitForLocal
			} else {
				idempotent(config)
			}
			config.Producer.Compression = codec
			producer := story.Must(sarama.NewSyncProducer(bootstrap, config))
			var messages []*sarama.ProducerMessage
			for j := i * 12; j < i*12+12; j++ {
				messages = append(messages, recordAt(j))
			}
			story.Check(producer.SendMessages(messages))
			story.Check(producer.Close())
		}
		return story.Line{"ends": offsetsAt(sarama.OffsetNewest)}
	})

	story.Tell("read", func() story.Line {
		var records []story.Record
		for partition := range int32(story.Partitions) {
			for _, each := range readFrom(settings(), topic, partition, sarama.OffsetOldest, story.Records/story.Partitions) {
				headers := map[string]string{}
				for _, header := range each.Headers {
					headers[string(header.Key)] = string(header.Value)
				}
				records = append(records, story.Record{Partition: partition, Offset: each.Offset, Key: each.Key, Value: each.Value, Timestamp: each.Timestamp.UnixMilli(), Headers: headers})
			}
		}
		return story.Line{"records": story.Rows(records)}
	})

	story.Tell("times", func() story.Line { return story.Line{"offsets": offsetsAt(story.FirstTimestamp + 30_500)} })

	story.Tell("seek", func() story.Line {
		return story.Line{"value": string(readFrom(settings(), topic, 1, 15, 1)[0].Value)}
	})

	story.Tell("group", func() story.Line {
		first := join(group, settings())
		alone := first.share.Alone()
		last := join(group, settings())
		shared := story.Shared(first.share, last.share)
		read := story.Read(first.share, last.share)
		first.commit(shared[0])
		last.commit(shared[1])
		first.close()
		last.close()
		committed := story.Must(admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {0, 1, 2}}))
		offsets := make([]int64, story.Partitions)
		for partition := range offsets {
			offsets[partition] = committed.GetBlock(topic, int32(partition)).Offset
		}
		return story.Line{"alone": alone, "shared": shared, "read": read, "committed": offsets}
	})

	var resumed *member
	story.Tell("resume", func() story.Line {
		producer := story.Must(sarama.NewSyncProducer(bootstrap, settings()))
		defer producer.Close()
		story.Must2(producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Partition: 2, Value: sarama.StringEncoder("one more")}))
		resumed = join(group, settings())
		return story.Line{"value": string((<-resumed.messages).Value)}
	})

	story.Tell("groups", func() story.Line {
		_, listed := story.Must(admin.ListConsumerGroups())[group]
		described := story.Must(admin.DescribeConsumerGroups([]string{group}))[0]
		return story.Line{"listed": listed, "state": described.State, "members": len(described.Members)}
	})

	story.Tell("deleteGroup", func() story.Line {
		refused := admin.DeleteConsumerGroup(group)
		resumed.close()
		story.Check(admin.DeleteConsumerGroup(group))
		_, listed := story.Must(admin.ListConsumerGroups())[group]
		return story.Line{"refused": codeOf(refused), "listed": listed}
	})

	story.Tell("configs", func() story.Line {
		before := retention(admin)
		value := "123456"
		story.Check(admin.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value}}, false))
		return story.Line{"before": before, "after": retention(admin)}
	})

	story.Tell("partitions", func() story.Line {
		story.Check(admin.CreatePartitions(topic, 5, nil, false))
		return story.Line{"partitions": partitionsOf(admin)}
	})

	story.Tell("deleteRecords", func() story.Line {
		story.Check(admin.DeleteRecords(topic, map[int32]int64{0: 12}))
		return story.Line{"lowWatermark": offsetsAt(sarama.OffsetOldest)[0], "first": readFrom(settings(), topic, 0, sarama.OffsetOldest, 1)[0].Offset}
	})

	story.Tell("deleteTopic", func() story.Line {
		story.Check(admin.DeleteTopic(topic))
		// A cluster's brokers hear of it a little later.
		story.Until("a list without the topic", func() bool {
			_, listed := story.Must(admin.ListTopics())[topic]
			return !listed
		})
		return story.Line{"listed": false}
	})
}

// tellBalancers says how two members share a topic by each strategy, and what is left to one of them when the other leaves.
func tellBalancers() {
	admin := story.Must(sarama.NewClusterAdmin(bootstrap, settings()))
	defer admin.Close()
	story.Check(admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: story.Partitions, ReplicationFactor: 1}, false))
	strategies := map[string]sarama.BalanceStrategy{
		"range": sarama.NewBalanceStrategyRange(), "roundrobin": sarama.NewBalanceStrategyRoundRobin(),
		"sticky": sarama.NewBalanceStrategySticky(), "cooperative-sticky": sarama.NewBalanceStrategyCooperativeSticky(), "static": sarama.NewBalanceStrategyRange(),
	}
	for name, strategy := range strategies {
		story.Tell(name, func() story.Line {
			config := func(instance string) *sarama.Config {
				config := settings()
				config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
				if name == "static" {
					config.Consumer.Group.InstanceId = instance
				}
				return config
			}
			groupName := topic + " " + name
			first := join(groupName, config("first"))
			alone := first.share.Alone()
			second := join(groupName, config("second"))
			shared := story.Shared(first.share, second.share)
			second.close()
			if name == "static" {
				story.Must(admin.RemoveMemberFromConsumerGroup(groupName, []string{"second"}))
			}
			left := first.share.Alone()
			first.close()
			return story.Line{"alone": alone, "shared": len(shared[0]) + len(shared[1]), "left": left}
		})
	}
}

// tellTransactions writes in transactions, every third aborted; is fenced; and copies a topic with its offsets in the transactions.
func tellTransactions() {
	source, sink := topic+"-source", topic+"-sink"
	admin := story.Must(sarama.NewClusterAdmin(bootstrap, settings()))
	defer admin.Close()

	story.Tell("create", func() story.Line {
		for _, name := range []string{topic, source, sink} {
			story.Check(admin.CreateTopic(name, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false))
		}
		return story.Line{}
	})

	story.Tell("commitAndAbort", func() story.Line {
		producer := transactional("writer")
		defer producer.Close()
		for transaction := range 6 {
			story.Check(producer.BeginTxn())
			for i := range 5 {
				story.Must2(producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(fmt.Sprintf("%d.%d", transaction, i))}))
			}
			if transaction%3 == 2 {
				story.Check(producer.AbortTxn())
			} else {
				story.Check(producer.CommitTxn())
			}
		}
		return story.Line{"committed": len(readFrom(committedOnly(), topic, 0, 0, 20)), "all": len(readFrom(settings(), topic, 0, 0, 30))}
	})

	story.Tell("fencing", func() story.Line {
		zombie := transactional("fenced")
		defer zombie.Close()
		story.Check(zombie.BeginTxn())
		story.Must2(zombie.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder("zombie")}))
		heir := transactional("fenced")
		defer heir.Close()
		story.Check(heir.BeginTxn())
		story.Must2(heir.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder("heir")}))
		story.Check(heir.CommitTxn())
		failure := zombie.CommitTxn()
		values := readFrom(committedOnly(), topic, 0, 0, 21)
		return story.Line{"failure": failure != nil && zombie.TxnStatus()&sarama.ProducerTxnFlagFatalError != 0, "last": string(values[20].Value)}
	})

	story.Tell("consumeAndProduce", func() story.Line {
		feeder := story.Must(sarama.NewSyncProducer(bootstrap, idempotent(settings())))
		for i := range story.Records {
			story.Must2(feeder.SendMessage(&sarama.ProducerMessage{Topic: source, Value: sarama.StringEncoder(strconv.Itoa(i))}))
		}
		story.Check(feeder.Close())
		double(source, sink)
		sum := 0
		for _, each := range readFrom(committedOnly(), sink, 0, 0, story.Records) {
			sum += story.Must(strconv.Atoi(string(each.Value)))
		}
		committed := story.Must(admin.ListConsumerGroupOffsets(group, map[string][]int32{source: {0}}))
		return story.Line{"sum": sum, "committed": committed.GetBlock(source, 0).Offset}
	})
}

// double writes twice what is in the source to the sink; every third transaction is aborted, and done again.
func double(source, sink string) {
	producer := transactional("doubler")
	defer producer.Close()
	records := readFrom(committedOnly(), source, 0, 0, story.Records)
	for turn, done := 0, 0; done < len(records); turn++ {
		story.Check(producer.BeginTxn())
		for _, each := range records[done : done+10] {
			story.Must2(producer.SendMessage(&sarama.ProducerMessage{Topic: sink, Value: sarama.StringEncoder(strconv.Itoa(2 * story.Must(strconv.Atoi(string(each.Value)))))}))
		}
		story.Check(producer.AddMessageToTxn(records[done+9], group, nil))
		if turn%3 == 2 {
			story.Check(producer.AbortTxn())
			continue
		}
		story.Check(producer.CommitTxn())
		done += 10
	}
}

func transactional(name string) sarama.SyncProducer {
	config := idempotent(settings())
	config.Producer.Transaction.ID = topic + "-" + name
	return story.Must(sarama.NewSyncProducer(bootstrap, config))
}

func committedOnly() *sarama.Config {
	config := settings()
	config.Consumer.IsolationLevel = sarama.ReadCommitted
	return config
}

// member of a group that reads until it is closed.
type member struct {
	share    *story.Share
	consumer sarama.ConsumerGroup
	messages chan *sarama.ConsumerMessage
	sessions chan sarama.ConsumerGroupSession
	ended    chan struct{}
}

func join(name string, config *sarama.Config) *member {
	made := &member{share: story.NewShare(), consumer: story.Must(sarama.NewConsumerGroup(bootstrap, name, config)), messages: make(chan *sarama.ConsumerMessage, 1000), sessions: make(chan sarama.ConsumerGroupSession, 100), ended: make(chan struct{})}
	go func() {
		defer close(made.ended)
		for !errors.Is(made.consumer.Consume(ctx, []string{topic}, made), sarama.ErrClosedConsumerGroup) && ctx.Err() == nil {
		}
	}()
	return made
}

func (member *member) Setup(session sarama.ConsumerGroupSession) error {
	member.sessions <- session
	return nil
}

func (member *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (member *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	// A cooperative member keeps claims from session to session.
	member.share.Add(claim.Partition())
	defer member.share.Remove(claim.Partition())
	for message := range claim.Messages() {
		member.share.See(message.Partition, message.Offset)
		member.messages <- message
	}
	return nil
}

// commit marks all of the story's records as read, in the last session.
func (member *member) commit(partitions []int32) {
	var session sarama.ConsumerGroupSession
	for len(member.sessions) > 0 {
		session = <-member.sessions
	}
	for _, partition := range partitions {
		session.MarkOffset(topic, partition, story.Records/story.Partitions, "")
	}
	session.Commit()
}

func (member *member) close() {
	story.Check(member.consumer.Close())
	<-member.ended
}

func recordAt(i int) *sarama.ProducerMessage {
	from := story.RecordAt(i)
	message := &sarama.ProducerMessage{Topic: topic, Partition: from.Partition, Timestamp: time.UnixMilli(from.Timestamp)}
	if from.Key != nil {
		message.Key = sarama.ByteEncoder(from.Key)
	}
	if from.Value != nil {
		message.Value = sarama.ByteEncoder(from.Value)
	}
	for key, value := range from.Headers {
		message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(key), Value: []byte(value)})
	}
	return message
}

// readFrom gives so many records of a partition.
func readFrom(config *sarama.Config, name string, partition int32, offset int64, count int) []*sarama.ConsumerMessage {
	consumer := story.Must(sarama.NewConsumer(bootstrap, config))
	defer consumer.Close()
	reader := story.Must(consumer.ConsumePartition(name, partition, offset))
	defer reader.Close()
	var messages []*sarama.ConsumerMessage
	for len(messages) < count {
		select {
		case message := <-reader.Messages():
			messages = append(messages, message)
		case <-ctx.Done():
			panic(fmt.Sprintf("%d of %d records came", len(messages), count))
		}
	}
	return messages
}

func partitionsOf(admin sarama.ClusterAdmin) int {
	return len(story.Must(admin.DescribeTopics([]string{topic}))[0].Partitions)
}

func offsetsAt(time int64) []int64 {
	client := story.Must(sarama.NewClient(bootstrap, settings()))
	defer client.Close()
	offsets := make([]int64, story.Partitions)
	for partition := range offsets {
		offsets[partition] = story.Must(client.GetOffset(topic, int32(partition), time))
	}
	return offsets
}

func retention(admin sarama.ClusterAdmin) string {
	entries := story.Must(admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"retention.ms"}}))
	return entries[0].Value
}

func codeOf(failure error) int16 {
	var code sarama.KError
	if !errors.As(failure, &code) {
		story.Check(failure)
	}
	return int16(code)
}
