// Package story is how the programs in Go tell their story: one JSON line a step, and what the records of it are.
package story

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"sort"
	"strconv"
	"sync"
	"time"
)

const (
	Records        = 60
	Partitions     = 3
	FirstTimestamp = int64(1_700_000_000_000)
	wait           = 30 * time.Second
)

// Line is what is told of a step.
type Line map[string]any

// Record is one that is written or was read; Key and Value are nil where there is none.
type Record struct {
	Partition int32
	Offset    int64
	Key       []byte
	Value     []byte
	Timestamp int64
	Headers   map[string]string
}

// Tell prints what act gives, or what it panics with.
func Tell(step string, act func() Line) {
	line := told(act)
	line["step"] = step
	Check(json.NewEncoder(os.Stdout).Encode(line))
}

func told(act func() Line) (line Line) {
	defer func() {
		if failure := recover(); failure != nil {
			line = Line{"error": fmt.Sprintf("%v\n%s", failure, debug.Stack())}
		}
	}()
	return act()
}

// Check panics with an error, which Tell prints.
func Check(err error) {
	if err != nil {
		panic(err)
	}
}

// Must is Check for calls that give something besides.
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// Until asks again and again until it is true.
func Until(what string, isTrue func() bool) {
	for end := time.Now().Add(wait); !isTrue(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			panic(what + " did not happen in " + wait.String())
		}
	}
}

// RecordAt is record i of the story.
func RecordAt(i int) Record {
	record := Record{Partition: int32(i % Partitions), Timestamp: FirstTimestamp + int64(i)*1000, Headers: map[string]string{}}
	if i%10 != 9 {
		record.Key = []byte(fmt.Sprintf("key-%d", i%7))
	}
	if i%20 != 5 {
		record.Value = []byte(fmt.Sprintf("value %d ü", i))
	}
	if i%2 == 0 {
		record.Headers = map[string]string{"index": strconv.Itoa(i), "empty": ""}
	}
	return record
}

// Rows are records as the laws have them, by partition and offset.
func Rows(records []Record) [][]any {
	sort.Slice(records, func(a, b int) bool {
		if records[a].Partition != records[b].Partition {
			return records[a].Partition < records[b].Partition
		}
		return records[a].Offset < records[b].Offset
	})
	rows := make([][]any, len(records))
	for i, each := range records {
		rows[i] = []any{each.Partition, each.Offset, text(each.Key), text(each.Value), each.Timestamp, each.Headers}
	}
	return rows
}

func text(bytes []byte) any {
	if bytes == nil {
		return nil
	}
	return string(bytes)
}

// Share is the partitions that a member of a group has, and which records it and others have read.
type Share struct {
	mutex sync.Mutex
	has   map[int32]bool
	seen  map[string]bool
}

func NewShare() *Share {
	return &Share{has: map[int32]bool{}, seen: map[string]bool{}}
}

func (share *Share) Add(partitions ...int32) {
	share.mutex.Lock()
	defer share.mutex.Unlock()
	for _, partition := range partitions {
		share.has[partition] = true
	}
}

func (share *Share) Remove(partitions ...int32) {
	share.mutex.Lock()
	defer share.mutex.Unlock()
	for _, partition := range partitions {
		delete(share.has, partition)
	}
}

func (share *Share) See(partition int32, offset int64) {
	share.mutex.Lock()
	defer share.mutex.Unlock()
	share.seen[fmt.Sprintf("%d/%d", partition, offset)] = true
}

func (share *Share) Partitions() []int32 {
	share.mutex.Lock()
	defer share.mutex.Unlock()
	partitions := []int32{}
	for partition := range share.has {
		partitions = append(partitions, partition)
	}
	sort.Slice(partitions, func(a, b int) bool { return partitions[a] < partitions[b] })
	return partitions
}

// Shared waits until both have something and together everything, each partition once.
func Shared(first, second *Share) [][]int32 {
	var shares [][]int32
	Until("a share for each member", func() bool {
		shares = [][]int32{first.Partitions(), second.Partitions()}
		return len(shares[0]) > 0 && len(shares[1]) > 0 && len(shares[0])+len(shares[1]) == Partitions
	})
	return shares
}

// Alone waits until one has everything.
func (share *Share) Alone() []int32 {
	Until("all partitions for one member", func() bool { return len(share.Partitions()) == Partitions })
	return share.Partitions()
}

// Read waits until all records were read by one or the other.
func Read(first, second *Share) int {
	count := 0
	Until("all records", func() bool {
		all := map[string]bool{}
		for _, share := range []*Share{first, second} {
			share.mutex.Lock()
			for place := range share.seen {
				all[place] = true
			}
			share.mutex.Unlock()
		}
		count = len(all)
		return count == Records
	})
	return count
}

// LargeValue is what is written and read back where a broker asks who somebody is.
func LargeValue() []byte {
	value := make([]byte, 300_000)
	for i := range value {
		value[i] = byte(i % 251)
	}
	return value
}

// Must2 is Check for calls that give two things besides, which nobody wants.
func Must2[A, B any](_ A, _ B, err error) {
	Check(err)
}
