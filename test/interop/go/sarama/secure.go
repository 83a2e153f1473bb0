package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"

	"millrace.test/story"
)

// tellSecure writes a large record as a user, over TLS where there is an authority to trust, reads it back, and prints how many bytes came.
func tellSecure(args []string) {
	config := settings()
	config.Metadata.Retry.Max = 1
	config.Net.SASL.Enable = true
	config.Net.SASL.Mechanism, config.Net.SASL.User, config.Net.SASL.Password = sarama.SASLMechanism(args[0]), args[1], args[2]
	hash := map[string]scram.HashGeneratorFcn{"SCRAM-SHA-256": scram.SHA256, "SCRAM-SHA-512": scram.SHA512}[args[0]]
	config.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &conversation{hash: hash} }
	if len(args) > 3 {
		trusted := x509.NewCertPool()
		trusted.AppendCertsFromPEM(story.Must(os.ReadFile(args[3])))
		config.Net.TLS.Enable, config.Net.TLS.Config = true, &tls.Config{RootCAs: trusted}
	}
	producer := story.Must(sarama.NewSyncProducer(bootstrap, config))
	defer producer.Close()
	value := story.LargeValue()
	story.Must2(producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.ByteEncoder(value)}))
	if !bytes.Equal(readFrom(config, topic, 0, 0, 1)[0].Value, value) {
		panic("other bytes came back")
	}
	fmt.Println(len(value))
}

// conversation of SCRAM, which Sarama leaves to others.
type conversation struct {
	*scram.ClientConversation
	hash scram.HashGeneratorFcn
}

func (login *conversation) Begin(user, password, authorization string) error {
	client, failure := login.hash.NewClient(user, password, authorization)
	if failure == nil {
		login.ClientConversation = client.NewConversation()
	}
	return failure
}
