package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"millrace.test/story"
)

// tellSecure writes a large record as a user, over TLS where there is an authority to trust, reads it back, and prints how many bytes came.
func tellSecure(args []string) {
	user, password := args[1], args[2]
	var mechanism sasl.Mechanism = plain.Mechanism{Username: user, Password: password}
	switch args[0] {
	case "SCRAM-SHA-256":
		mechanism = story.Must(scram.Mechanism(scram.SHA256, user, password))
	case "SCRAM-SHA-512":
		mechanism = story.Must(scram.Mechanism(scram.SHA512, user, password))
	}
	var secure *tls.Config
	if len(args) > 3 {
		trusted := x509.NewCertPool()
		trusted.AppendCertsFromPEM(story.Must(os.ReadFile(args[3])))
		secure = &tls.Config{RootCAs: trusted, ServerName: address.IP.String()}
	}
	value := story.LargeValue()
	writer := &kafka.Writer{Addr: address, Topic: topic, AllowAutoTopicCreation: true, MaxAttempts: 3, Transport: &kafka.Transport{TLS: secure, SASL: mechanism}}
	defer writer.Close()
	story.Check(writer.WriteMessages(ctx, kafka.Message{Value: value}))
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, Topic: topic, Dialer: &kafka.Dialer{TLS: secure, SASLMechanism: mechanism}})
	defer reader.Close()
	if !bytes.Equal(story.Must(reader.ReadMessage(ctx)).Value, value) {
		panic("other bytes came back")
	}
	fmt.Println(len(value))
}
