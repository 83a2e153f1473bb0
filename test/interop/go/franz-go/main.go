// The stories of franz-go: franz-go story|balancers|transactions|secure BOOTSTRAP TOPIC [MECHANISM USER PASSWORD [CA]].
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"millrace.test/story"
)

var (
	bootstrap, topic = os.Args[2], os.Args[3]
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

func client(options ...kgo.Opt) *kgo.Client {
	return story.Must(kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.RecordPartitioner(kgo.ManualPartitioner())}, options...)...))
}

func tellStory() {
	admin := kadm.NewClient(client())
	defer admin.Close()

	story.Tell("create", func() story.Line {
		story.Must(admin.CreateTopic(ctx, story.Partitions, 1, nil, topic))
		_, again := admin.CreateTopic(ctx, story.Partitions, 1, nil, topic)
		return story.Line{"partitions": partitionsOf(admin), "again": codeOf(again)}
	})

	story.Tell("produce", func() story.Line {
		codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
		for i, codec := range codecs {
			options := []kgo.Opt{kgo.ProducerBatchCompression(codec)}
			if i == 0 {
				options = append(options, kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck()))
			}
			producer := client(options...)
			var records []*kgo.Record
			for j := i * 12; j < i*12+12; j++ {
				records = append(records, recordAt(j))
			}
			story.Check(producer.ProduceSync(ctx, records...).FirstErr())
			producer.Close()
		}
		return story.Line{"ends": offsetsOf(story.Must(admin.ListEndOffsets(ctx, topic)))}
	})

	story.Tell("read", func() story.Line {
		reader := client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		defer reader.Close()
		var records []story.Record
		for len(records) < story.Records {
			for _, each := range polled(reader) {
				headers := map[string]string{}
				for _, header := range each.Headers {
					headers[header.Key] = string(header.Value)
				}
				records = append(records, story.Record{Partition: each.Partition, Offset: each.Offset, Key: each.Key, Value: each.Value, Timestamp: each.Timestamp.UnixMilli(), Headers: headers})
			}
		}
		return story.Line{"records": story.Rows(records)}
	})

	story.Tell("times", func() story.Line {
		return story.Line{"offsets": offsetsOf(story.Must(admin.ListOffsetsAfterMilli(ctx, story.FirstTimestamp+30_500, topic)))}
	})

	story.Tell("seek", func() story.Line {
		return story.Line{"value": string(readAt(1, kgo.NewOffset().At(15)).Value)}
	})

	story.Tell("group", func() story.Line {
		first, firstShare := member(group)
		defer first.Close()
		alone := firstShare.Alone()
		second, secondShare := member(group)
		defer second.Close()
		shared := story.Shared(firstShare, secondShare)
		read := story.Read(firstShare, secondShare)
		commit(first, shared[0])
		commit(second, shared[1])
		committed := story.Must(admin.FetchOffsets(ctx, group))
		offsets := make([]int64, story.Partitions)
		for partition := range offsets {
			offsets[partition] = committed[topic][int32(partition)].At
		}
		return story.Line{"alone": alone, "shared": shared, "read": read, "committed": offsets}
	})

	var resumed *kgo.Client
	story.Tell("resume", func() story.Line {
		producer := client()
		defer producer.Close()
		story.Check(producer.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: 2, Value: []byte("one more")}).FirstErr())
		resumed = client(kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
		return story.Line{"value": string(polled(resumed)[0].Value)}
	})

	story.Tell("groups", func() story.Line {
		_, listed := story.Must(admin.ListGroups(ctx))[group]
		described := story.Must(admin.DescribeGroups(ctx, group))[group]
		return story.Line{"listed": listed, "state": described.State, "members": len(described.Members)}
	})

	story.Tell("deleteGroup", func() story.Line {
		_, refused := admin.DeleteGroup(ctx, group)
		resumed.Close()
		story.Must(admin.DeleteGroup(ctx, group))
		_, listed := story.Must(admin.ListGroups(ctx))[group]
		return story.Line{"refused": codeOf(refused), "listed": listed}
	})

	story.Tell("configs", func() story.Line {
		before := retention(admin)
		value := "123456"
		altered := story.Must(admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &value}}, topic))
		story.Check(altered[0].Err)
		return story.Line{"before": before, "after": retention(admin)}
	})

	story.Tell("partitions", func() story.Line {
		story.Check(story.Must(admin.UpdatePartitions(ctx, 5, topic)).Error())
		return story.Line{"partitions": partitionsOf(admin)}
	})

	story.Tell("deleteRecords", func() story.Line {
		offsets := kadm.Offsets{}
		offsets.AddOffset(topic, 0, 12, -1)
		deleted := story.Must(admin.DeleteRecords(ctx, offsets))
		story.Check(deleted.Error())
		return story.Line{"lowWatermark": deleted[topic][0].LowWatermark, "first": readAt(0, kgo.NewOffset().AtStart()).Offset}
	})

	story.Tell("deleteTopic", func() story.Line {
		story.Must(admin.DeleteTopic(ctx, topic))
		// A cluster's brokers hear of it a little later.
		story.Until("a list without the topic", func() bool { return !story.Must(admin.ListTopics(ctx)).Has(topic) })
		return story.Line{"listed": false}
	})
}

// tellBalancers says how two members share a topic by each protocol that a group may have, and what is left to one of them when the other leaves.
func tellBalancers() {
	admin := kadm.NewClient(client())
	defer admin.Close()
	story.Must(admin.CreateTopic(ctx, story.Partitions, 1, nil, topic))
	protocols := map[string][]kgo.Opt{
		"range":              {kgo.Balancers(kgo.RangeBalancer())},
		"roundrobin":         {kgo.Balancers(kgo.RoundRobinBalancer())},
		"sticky":             {kgo.Balancers(kgo.StickyBalancer())},
		"cooperative-sticky": {kgo.Balancers(kgo.CooperativeStickyBalancer())},
		"static":             {kgo.InstanceID("first")},
		"KIP-848":            {kgo.ServerSideBalancer()},
		"KIP-848 range":      {kgo.ServerSideBalancer(), kgo.Balancers(kgo.RangeBalancer())},
	}
	for name, options := range protocols {
		story.Tell(name, func() story.Line {
			groupName := topic + " " + name
			first, firstShare := member(groupName, options...)
			defer first.Close()
			alone := firstShare.Alone()
			if name == "static" {
				options = []kgo.Opt{kgo.InstanceID("second")}
			}
			second, secondShare := member(groupName, options...)
			shared := story.Shared(firstShare, secondShare)
			if name == "static" {
				_, left := admin.LeaveGroup(ctx, kadm.LeaveGroup(groupName).InstanceIDs("second"))
				story.Check(left)
			}
			second.Close()
			return story.Line{"alone": alone, "shared": len(shared[0]) + len(shared[1]), "left": firstShare.Alone()}
		})
	}
}

// tellTransactions writes in transactions, every third aborted; is fenced; and copies a topic exactly once in a group session.
func tellTransactions() {
	source, sink := topic+"-source", topic+"-sink"
	admin := kadm.NewClient(client())
	defer admin.Close()

	story.Tell("create", func() story.Line {
		story.Check(story.Must(admin.CreateTopics(ctx, story.Partitions, 1, nil, topic, source, sink)).Error())
		return story.Line{}
	})

	story.Tell("commitAndAbort", func() story.Line {
		producer := client(kgo.TransactionalID(topic + "-writer"))
		defer producer.Close()
		for transaction := 0; transaction < 6; transaction++ {
			story.Check(producer.BeginTransaction())
			for i := 0; i < 5; i++ {
				producer.Produce(ctx, &kgo.Record{Topic: topic, Partition: int32(i % story.Partitions), Value: []byte(fmt.Sprintf("%d.%d", transaction, i))}, nil)
			}
			story.Check(producer.Flush(ctx))
			story.Check(producer.EndTransaction(ctx, kgo.TransactionEndTry(transaction%3 != 2)))
		}
		return story.Line{"committed": len(readAll(admin, topic, kgo.ReadCommitted())), "all": len(readAll(admin, topic, kgo.ReadUncommitted()))}
	})

	story.Tell("openTransaction", func() story.Line {
		producer := client(kgo.TransactionalID(topic + "-open"))
		defer producer.Close()
		story.Check(producer.BeginTransaction())
		story.Check(producer.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("open")}).FirstErr())
		before := len(readAll(admin, topic, kgo.ReadCommitted()))
		listed := story.Must(admin.ListTransactions(ctx, nil, []string{"Ongoing"}))[topic+"-open"].State
		described := story.Must(admin.DescribeTransactions(ctx, topic+"-open"))[topic+"-open"]
		story.Check(producer.EndTransaction(ctx, kgo.TryCommit))
		// The end of a transaction is answered before all of its markers are written.
		story.Until("a committed record", func() bool { return len(readAll(admin, topic, kgo.ReadCommitted())) == before+1 })
		return story.Line{"before": before, "listed": listed, "partitions": described.Topics.Sorted()}
	})

	story.Tell("fencing", func() story.Line {
		zombie, heir := client(kgo.TransactionalID(topic+"-fenced")), client(kgo.TransactionalID(topic+"-fenced"))
		defer zombie.Close()
		defer heir.Close()
		story.Check(zombie.BeginTransaction())
		story.Check(zombie.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("zombie")}).FirstErr())
		story.Check(heir.BeginTransaction())
		story.Check(heir.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("heir")}).FirstErr())
		story.Check(heir.EndTransaction(ctx, kgo.TryCommit))
		failure := zombie.EndTransaction(ctx, kgo.TryCommit)
		values := map[string]bool{}
		for _, each := range readAll(admin, topic, kgo.ReadCommitted()) {
			values[string(each.Value)] = true
		}
		return story.Line{"failure": codeOf(failure), "zombie": values["zombie"], "heir": values["heir"]}
	})

	story.Tell("consumeAndProduce", func() story.Line {
		feeder := client()
		defer feeder.Close()
		for i := 0; i < story.Records; i++ {
			feeder.Produce(ctx, &kgo.Record{Topic: source, Partition: int32(i % story.Partitions), Value: []byte(strconv.Itoa(i))}, nil)
		}
		story.Check(feeder.Flush(ctx))
		double(source, sink)
		sum := 0
		records := readAll(admin, sink, kgo.ReadCommitted())
		for _, each := range records {
			sum += story.Must(strconv.Atoi(string(each.Value)))
		}
		return story.Line{"records": len(records), "sum": sum}
	})
}

// double writes twice what is in the source to the sink, by two members in turn; every third transaction is aborted, and what was read in it read again.
func double(source, sink string) {
	done := 0
	for turn := 0; done < story.Records; turn++ {
		session := story.Must(kgo.NewGroupTransactSession(kgo.SeedBrokers(bootstrap), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID(topic+"-doubler"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
			kgo.ConsumerGroup(group), kgo.ConsumeTopics(source), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RequireStableFetchOffsets()))
		for i := 0; i < 3 && done < story.Records; i++ {
			fetches := session.PollRecords(ctx, 10)
			story.Check(fetches.Err())
			story.Check(session.Begin())
			for _, each := range fetches.Records() {
				session.Produce(ctx, &kgo.Record{Topic: sink, Partition: each.Partition, Value: []byte(strconv.Itoa(2 * story.Must(strconv.Atoi(string(each.Value)))))}, nil)
			}
			if story.Must(session.End(ctx, kgo.TransactionEndTry((turn+i)%3 != 2))) {
				done += fetches.NumRecords()
			}
		}
		session.Close()
	}
}

func recordAt(i int) *kgo.Record {
	from := story.RecordAt(i)
	record := &kgo.Record{Topic: topic, Partition: from.Partition, Key: from.Key, Value: from.Value, Timestamp: time.UnixMilli(from.Timestamp)}
	for key, value := range from.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	}
	return record
}

// member of a group that reads until it is closed.
func member(name string, options ...kgo.Opt) (*kgo.Client, *story.Share) {
	share := story.NewShare()
	lost := func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
		share.Remove(partitions[topic]...)
	}
	made := client(append(options, kgo.ConsumerGroup(name), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(200*time.Millisecond), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) { share.Add(partitions[topic]...) }),
		kgo.OnPartitionsRevoked(lost), kgo.OnPartitionsLost(lost))...)
	go func() {
		for {
			fetches := made.PollFetches(ctx)
			if fetches.IsClientClosed() || ctx.Err() != nil {
				return
			}
			fetches.EachRecord(func(each *kgo.Record) { share.See(each.Partition, each.Offset) })
		}
	}()
	return made, share
}

func commit(member *kgo.Client, partitions []int32) {
	offsets := map[int32]kgo.EpochOffset{}
	for _, partition := range partitions {
		offsets[partition] = kgo.EpochOffset{Epoch: -1, Offset: 20}
	}
	var failure error
	member.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{topic: offsets}, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, _ *kmsg.OffsetCommitResponse, err error) {
		failure = err
	})
	story.Check(failure)
}

func readAt(partition int32, offset kgo.Offset) *kgo.Record {
	reader := client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: offset}}))
	defer reader.Close()
	return polled(reader)[0]
}

// readAll gives what readers of an isolation get up to the end of a topic, as they have it.
func readAll(admin *kadm.Client, name string, isolation kgo.IsolationLevel) []*kgo.Record {
	ends := story.Must(admin.ListEndOffsets(ctx, name))
	if isolation == kgo.ReadCommitted() {
		ends = story.Must(admin.ListCommittedOffsets(ctx, name))
	}
	reader := client(kgo.ConsumeTopics(name), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(isolation), kgo.KeepControlRecords())
	defer reader.Close()
	left := map[int32]bool{}
	ends.Each(func(each kadm.ListedOffset) {
		if each.Offset > 0 {
			left[each.Partition] = true
		}
	})
	var records []*kgo.Record
	for len(left) > 0 {
		for _, each := range polled(reader) {
			end, _ := ends.Lookup(name, each.Partition)
			if each.Offset+1 >= end.Offset {
				delete(left, each.Partition)
			}
			if each.Offset < end.Offset && !each.Attrs.IsControl() {
				records = append(records, each)
			}
		}
	}
	return records
}

func polled(reader *kgo.Client) []*kgo.Record {
	fetches := reader.PollFetches(ctx)
	story.Check(fetches.Err())
	return fetches.Records()
}

func partitionsOf(admin *kadm.Client) int {
	return len(story.Must(admin.ListTopics(ctx, topic))[topic].Partitions)
}

func offsetsOf(listed kadm.ListedOffsets) []int64 {
	story.Check(listed.Error())
	offsets := make([]int64, story.Partitions)
	for partition := range offsets {
		offsets[partition] = listed[topic][int32(partition)].Offset
	}
	return offsets
}

func retention(admin *kadm.Client) string {
	configs := story.Must(admin.DescribeTopicConfigs(ctx, topic))
	for _, config := range configs[0].Configs {
		if config.Key == "retention.ms" {
			return config.MaybeValue()
		}
	}
	return ""
}

func codeOf(failure error) int16 {
	var code *kerr.Error
	if errors.As(failure, &code) {
		return code.Code
	}
	story.Check(failure)
	return 0
}
