package accounttest

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Rig is a test with an account of its own, in virtual time. Its methods fail the
// test where something goes wrong.
type Rig struct {
	testing.TB
	*Account
	Engine *localaws.Engine

	running sync.WaitGroup
	stops   []context.CancelFunc
}

// Run runs a test in virtual time, on an engine with this configuration.
func Run(t *testing.T, cfg localaws.Config, test func(*Rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(cfg)
		defer engine.Close()
		own := localawstest.Config(engine)
		own.HTTPClient = dated{own.HTTPClient}
		r := &Rig{TB: t, Account: New(own), Engine: engine}
		defer r.Halt()
		test(r)
	})
}

// dated gives answers the date that AWS's have, and that net/http gives those of
// a server.
type dated struct{ inner aws.HTTPClient }

func (d dated) Do(request *http.Request) (*http.Response, error) {
	response, err := d.inner.Do(request)
	if err == nil {
		response.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	return response, err
}

// Declare creates everything that manifests declare.
func (r *Rig) Declare(manifests ...*manifest.Manifest) {
	r.Helper()
	if err := r.Create(r.Context(), manifests...); err != nil {
		r.Fatal(err)
	}
}

// Table creates a table.
func (r *Rig) Table(t manifest.Table) {
	r.Helper()
	if err := r.CreateTable(r.Context(), t); err != nil {
		r.Fatal(err)
	}
}

// Put writes an item whole, by nobody's rules.
func (r *Rig) Put(table string, item contracts.Item) {
	r.Helper()
	if _, err := r.DB.PutItem(r.Context(), &dynamodb.PutItemInput{TableName: &table, Item: dynamostore.ToAttributes(item)}); err != nil {
		r.Fatal(err)
	}
}

// Start runs a process, by its Run, until it is stopped or the test ends. It must
// end in order then.
func (r *Rig) Start(run func(context.Context) error) (stop func()) {
	ctx, stop := context.WithCancel(r.Context())
	r.stops = append(r.stops, stop)
	r.running.Go(func() {
		if err := run(ctx); err != nil {
			r.Error(err)
		}
	})
	return stop
}

// Halt stops everything that was started, and returns when it has ended.
func (r *Rig) Halt() {
	for _, stop := range r.stops {
		stop()
	}
	r.stops = nil
	r.running.Wait()
}

// Company is the shared state of a company of this name.
func Company(name string) contracts.Item {
	return contracts.Item{
		"name": contracts.String(name), "sector": contracts.String("Energy"), "subIndustry": contracts.String("Oil"),
		"headquarters": contracts.String("Houston"), "tickers": contracts.List(contracts.String("T")),
	}
}
