// The stories of kafka-go: kafka-go story|balancers|secure BOOTSTRAP TOPIC [MECHANISM USER PASSWORD [CA]]. It has no transactions.
package main

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/segmentio/kafka-go"

	"millrace.test/story"
)

var (
	bootstrap, topic = os.Args[2], os.Args[3]
	group            = topic + "-group"
	ctx, cancel      = context.WithTimeout(context.Background(), 100*time.Second)
	address          = story.Must(net.ResolveTCPAddr("tcp", bootstrap))
	client           = &kafka.Client{Addr: address}
)

func main() {
	defer cancel()
	switch os.Args[1] {
	case "story":
		tellStory()
	case "balancers":
		tellBalancers()
	case "secure":
		tellSecure(os.Args[4:])
	}
}

func tellStory() {
	story.Tell("create", func() story.Line {
		story.Check(create(topic))
		again := create(topic)
		return story.Line{"partitions": len(partitionsOf()), "again": codeOf(again)}
	})

	story.Tell("produce", func() story.Line {
		codecs := []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd}
		for i, codec := range codecs {
			acks := kafka.RequireAll
			if i == 0 {
				acks = kafka.RequireOne
			}
			var messages []kafka.Message
			for j := i * 12; j < i*12+12; j++ {
				messages = append(messages, recordAt(j))
			}
			write(&kafka.Writer{Compression: codec, RequiredAcks: acks}, messages...)
		}
		return story.Line{"ends": offsetsAt(kafka.LastOffsetOf)}
	})

	story.Tell("read", func() story.Line {
		var records []story.Record
		for partition := range story.Partitions {
			for _, each := range readFrom(partition, 0, story.Records/story.Partitions) {
				headers := map[string]string{}
				for _, header := range each.Headers {
					headers[header.Key] = string(header.Value)
				}
				records = append(records, story.Record{Partition: int32(partition), Offset: each.Offset, Key: each.Key, Value: each.Value, Timestamp: each.Time.UnixMilli(), Headers: headers})
			}
		}
		return story.Line{"records": story.Rows(records)}
	})

	story.Tell("times", func() story.Line {
		return story.Line{"offsets": offsetsAt(func(partition int) kafka.OffsetRequest {
			return kafka.TimeOffsetOf(partition, time.UnixMilli(story.FirstTimestamp+30_500))
		})}
	})

	story.Tell("seek", func() story.Line { return story.Line{"value": string(readFrom(1, 15, 1)[0].Value)} })

	story.Tell("group", func() story.Line {
		first := join(group)
		alone := first.share.Alone()
		last := join(group)
		shared := story.Shared(first.share, last.share)
		read := story.Read(first.share, last.share)
		first.commit(shared[0])
		last.commit(shared[1])
		first.close()
		last.close()
		committed := story.Must(client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: {0, 1, 2}}}))
		offsets := make([]int64, story.Partitions)
		for _, each := range committed.Topics[topic] {
			offsets[each.Partition] = each.CommittedOffset
		}
		return story.Line{"alone": alone, "shared": shared, "read": read, "committed": offsets}
	})

	var resumed *kafka.Reader
	story.Tell("resume", func() story.Line {
		write(&kafka.Writer{}, kafka.Message{Value: []byte("one more"), WriterData: 2})
		resumed = kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, GroupID: group, Topic: topic, StartOffset: kafka.FirstOffset, MaxWait: 100 * time.Millisecond})
		return story.Line{"value": string(story.Must(resumed.FetchMessage(ctx)).Value)}
	})

	story.Tell("groups", func() story.Line {
		described := story.Must(client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})).Groups[0]
		return story.Line{"listed": isListed(), "state": described.GroupState, "members": len(described.Members)}
	})

	story.Tell("deleteGroup", func() story.Line {
		remove := func() error {
			return story.Must(client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})).Errors[group]
		}
		refused := remove()
		story.Check(resumed.Close())
		story.Check(remove())
		return story.Line{"refused": codeOf(refused), "listed": isListed()}
	})

	story.Tell("configs", func() story.Line {
		before := retention()
		altered := story.Must(client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{
			{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: "retention.ms", Value: "123456"}}},
		}}))
		story.Check(altered.Resources[0].Error)
		return story.Line{"before": before, "after": retention()}
	})

	story.Tell("partitions", func() story.Line {
		added := story.Must(client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: 5}}}))
		story.Check(added.Errors[topic])
		// The client keeps what it knows of topics for a while.
		story.Until("five partitions", func() bool { return len(partitionsOf()) == 5 })
		return story.Line{"partitions": 5}
	})

	story.Tell("deleteRecords", func() story.Line { return story.Line{"absent": "kafka-go has no DeleteRecords"} })

	story.Tell("deleteTopic", func() story.Line {
		deleted := story.Must(client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}}))
		story.Check(deleted.Errors[topic])
		// A cluster's brokers hear of it a little later.
		story.Until("a list without the topic", func() bool {
			for _, each := range story.Must(client.Metadata(ctx, &kafka.MetadataRequest{})).Topics {
				if each.Name == topic {
					return false
				}
			}
			return true
		})
		return story.Line{"listed": false}
	})
}

// tellBalancers says how two members share a topic by each balancer, and what is left to one of them when the other leaves.
func tellBalancers() {
	story.Check(create(topic))
	balancers := map[string]kafka.GroupBalancer{"range": kafka.RangeGroupBalancer{}, "roundrobin": kafka.RoundRobinGroupBalancer{}, "rack affinity": kafka.RackAffinityGroupBalancer{}}
	for name, balancer := range balancers {
		story.Tell(name, func() story.Line {
			first := join(topic+" "+name, balancer)
			alone := first.share.Alone()
			second := join(topic+" "+name, balancer)
			shared := story.Shared(first.share, second.share)
			second.close()
			left := first.share.Alone()
			first.close()
			return story.Line{"alone": alone, "shared": len(shared[0]) + len(shared[1]), "left": left}
		})
	}
}

// member of a group that reads what each generation gives it until it is closed.
type member struct {
	share       *story.Share
	group       *kafka.ConsumerGroup
	generations chan *kafka.Generation
}

func join(name string, balancers ...kafka.GroupBalancer) *member {
	made := &member{share: story.NewShare(), generations: make(chan *kafka.Generation, 100), group: story.Must(kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: name, Brokers: []string{bootstrap}, Topics: []string{topic}, GroupBalancers: balancers, StartOffset: kafka.FirstOffset,
		HeartbeatInterval: 200 * time.Millisecond, SessionTimeout: 6 * time.Second, JoinGroupBackoff: 100 * time.Millisecond,
	}))}
	go func() {
		for {
			generation, failure := made.group.Next(ctx)
			if errors.Is(failure, kafka.ErrGroupClosed) || ctx.Err() != nil {
				return
			}
			if failure != nil {
				continue
			}
			made.generations <- generation
			for _, each := range generation.Assignments[topic] {
				made.share.Add(int32(each.ID))
				generation.Start(func(ended context.Context) {
					defer made.share.Remove(int32(each.ID))
					made.read(ended, each)
				})
			}
		}
	}()
	return made
}

func (member *member) read(ended context.Context, from kafka.PartitionAssignment) {
	reader := partitionReader(from.ID)
	defer reader.Close()
	story.Check(reader.SetOffset(from.Offset))
	for {
		message, failure := reader.ReadMessage(ended)
		if failure != nil {
			<-ended.Done()
			return
		}
		member.share.See(int32(message.Partition), message.Offset)
	}
}

// commit says in the last generation that all of the story's records are read.
func (member *member) commit(partitions []int32) {
	var generation *kafka.Generation
	for len(member.generations) > 0 {
		generation = <-member.generations
	}
	offsets := map[int]int64{}
	for _, partition := range partitions {
		offsets[int(partition)] = story.Records / story.Partitions
	}
	story.Check(generation.CommitOffsets(map[string]map[int]int64{topic: offsets}))
}

func (member *member) close() {
	story.Check(member.group.Close())
}

func create(name string) error {
	return story.Must(client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: name, NumPartitions: story.Partitions, ReplicationFactor: 1}}})).Errors[name]
}

func recordAt(i int) kafka.Message {
	from := story.RecordAt(i)
	message := kafka.Message{Key: from.Key, Value: from.Value, Time: time.UnixMilli(from.Timestamp), WriterData: int(from.Partition)}
	for key, value := range from.Headers {
		message.Headers = append(message.Headers, kafka.Header{Key: key, Value: []byte(value)})
	}
	return message
}

// write sends each message to the partition that its WriterData names.
func write(writer *kafka.Writer, messages ...kafka.Message) {
	writer.Addr, writer.Topic, writer.BatchTimeout = address, topic, 5*time.Millisecond
	writer.Balancer = kafka.BalancerFunc(func(message kafka.Message, _ ...int) int { return message.WriterData.(int) })
	story.Check(writer.WriteMessages(ctx, messages...))
	story.Check(writer.Close())
}

func partitionReader(partition int) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, Topic: topic, Partition: partition, MaxWait: 100 * time.Millisecond})
}

// readFrom gives so many records of a partition.
func readFrom(partition int, offset int64, count int) []kafka.Message {
	reader := partitionReader(partition)
	defer reader.Close()
	story.Check(reader.SetOffset(offset))
	var messages []kafka.Message
	for len(messages) < count {
		messages = append(messages, story.Must(reader.ReadMessage(ctx)))
	}
	return messages
}

func partitionsOf() []kafka.Partition {
	return story.Must(client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})).Topics[0].Partitions
}

func offsetsAt(place func(int) kafka.OffsetRequest) []int64 {
	var asked []kafka.OffsetRequest
	for partition := range story.Partitions {
		asked = append(asked, place(partition))
	}
	offsets := make([]int64, story.Partitions)
	for _, each := range story.Must(client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: asked}})).Topics[topic] {
		story.Check(each.Error)
		offsets[each.Partition] = each.LastOffset
		for offset := range each.Offsets {
			offsets[each.Partition] = offset
		}
	}
	return offsets
}

func isListed() bool {
	for _, each := range story.Must(client.ListGroups(ctx, &kafka.ListGroupsRequest{})).Groups {
		if each.GroupID == group {
			return true
		}
	}
	return false
}

func retention() string {
	described := story.Must(client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{"retention.ms"}}}}))
	return described.Resources[0].ConfigEntries[0].ConfigValue
}

func codeOf(failure error) int {
	var code kafka.Error
	if !errors.As(failure, &code) {
		story.Check(failure)
	}
	return int(code)
}
