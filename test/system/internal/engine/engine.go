// Package engine starts what the tests hold localaws and the deployment against:
// localaws in this process, AWS's DynamoDB Local, and moto's server.
//
// It promises that what it starts is on a free port of this machine, empty, and
// gone after Stop or when this process was killed, and that an engine which is not to be had is reported with
// the reason and what to do about it. DynamoDB Local can only listen on every
// address of the machine; the others listen on loopback.
package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

// The engines' names.
const (
	Localaws      = "localaws"
	DynamoDBLocal = "DynamoDB Local"
	Moto          = "moto"
)

// Engine is a running engine behind the SDK's clients. Clients of services
// that the conformance suite does not use on the engine are nil.
type Engine struct {
	Name     string
	URL      string // where it answers
	DynamoDB *dynamodb.Client
	Streams  *dynamodbstreams.Client
	SNS      *sns.Client
	SQS      *sqs.Client

	// Local is what only localaws has: controls, beside its protocols. It is nil
	// for the others.
	Local *localaws.Engine

	stop  func() error
	ahead atomic.Int64 // how far localaws's clock is ahead, as a time.Duration
}

// Advance puts localaws's clock forward, for retention and expiry; waiting does
// not get shorter. It is for an engine that nobody else uses.
func (e *Engine) Advance(by time.Duration) { e.ahead.Add(int64(by)) }

// Stop ends the engine and waits until it has ended.
func (e *Engine) Stop() error { return e.stop() }

// Missing says why an engine does not run here, and how it would.
type Missing struct {
	Engine string
	Err    error
	Advice string
}

// Error says what is missing, why and what to do.
func (m *Missing) Error() string {
	return fmt.Sprintf("%s: %v; %s", m.Engine, m.Err, m.Advice)
}

// Unwrap returns the cause.
func (m *Missing) Unwrap() error { return m.Err }

// StartLocalaws starts localaws on a loopback port.
func StartLocalaws(ctx context.Context) (*Engine, error) {
	listener, err := localaws.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := behind(Localaws, "http://"+listener.Addr().String())
	local := localaws.New(localaws.Config{Now: func() time.Time { return time.Now().Add(time.Duration(e.ahead.Load())) }})
	e.Local = local
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- local.Serve(serving, listener) }()
	e.stop = sync.OnceValue(func() error {
		cancel()
		local.Close()
		return <-served
	})
	return e, nil
}

// behind makes the clients of an engine that listens at an address.
func behind(name, endpoint string) *Engine {
	cfg := aws.Config{
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("conformance", "conformance", ""),
		BaseEndpoint: aws.String(endpoint),
		HTTPClient:   &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute},
		// An engine's own answers are what is compared, so nothing is retried.
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	e := &Engine{Name: name, URL: endpoint}
	if name != Moto {
		e.DynamoDB, e.Streams = dynamodb.NewFromConfig(cfg), dynamodbstreams.NewFromConfig(cfg)
	}
	if name != DynamoDBLocal {
		e.SNS, e.SQS = sns.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	}
	return e
}

// freePort returns a port of the loopback address that nobody listens on.
func freePort(ctx context.Context) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	err = listener.Close()
	if !ok || err != nil {
		return "", errors.Join(fmt.Errorf("find a free port: got %v", listener.Addr()), err)
	}
	return strconv.Itoa(address.Port), nil
}
