package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"millrace.test/story"
)

// tellSecure writes a large record as a user, over TLS where there is an authority to trust, reads it back, and prints how many bytes came.
func tellSecure(args []string) {
	mechanism, user, password := args[0], args[1], args[2]
	options := []kgo.Opt{kgo.AllowAutoTopicCreation(), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
	switch mechanism {
	case "PLAIN":
		options = append(options, kgo.SASL(plain.Auth{User: user, Pass: password}.AsMechanism()))
	case "SCRAM-SHA-256":
		options = append(options, kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		options = append(options, kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha512Mechanism()))
	}
	if len(args) > 3 {
		trusted := x509.NewCertPool()
		trusted.AppendCertsFromPEM(story.Must(os.ReadFile(args[3])))
		options = append(options, kgo.DialTLSConfig(&tls.Config{RootCAs: trusted}))
	}
	both := client(options...)
	defer both.Close()
	value := story.LargeValue()
	story.Check(both.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: value}).FirstErr())
	if !bytes.Equal(polled(both)[0].Value, value) {
		panic("other bytes came back")
	}
	fmt.Println(len(value))
}
