package reconcile_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/internal/accounttest"
	"github.com/tributary-dev/tributary/pkg/replica/reconcile"
)

// fill loads n companies and their copies, in step, by writes of 25.
func (r *rig) fill(n int) {
	r.Helper()
	views := must(replica.Views(profilev1.Contract, r.stats.Subscribes[0], r.stats.Tables))
	mapping := make(map[string]contracts.Value)
	for _, view := range views {
		mapping[view.Name()] = text(view.Fingerprint())
	}
	version := contracts.VersionAt(time.Now()).Value()
	var group errgroup.Group
	group.SetLimit(8)
	for start := 0; start < n; start += 25 {
		group.Go(func() error {
			requests := make(map[string][]types.WriteRequest)
			put := func(table string, item contracts.Item) {
				requests[table] = append(requests[table], types.WriteRequest{PutRequest: &types.PutRequest{Item: dynamostore.ToAttributes(item)}})
			}
			for i := start; i < min(start+25, n); i++ {
				cik, name := strconv.Itoa(i), text("The Company of Number "+strconv.Itoa(i))
				source := company(name.Text())
				source["cik"], source["version"] = text(cik), version
				put("companies", source)
				put("company-stats", contracts.Item{"pk": text("COMPANY#" + cik), "companyName": name, "sector": source["sector"],
					"marketCap": contracts.Number("1234567890"), "profileVersion": version, "profileMapping": mapping["company-stats"]})
				put("entries", contracts.Item{"id": text(cik), "title": name, "sourceVersion": version, "sourceMapping": mapping["entries"]})
				put("watchlists", contracts.Item{"user": text("user " + strconv.Itoa(i%100)), "cik": text(cik), "companyName": name,
					"profileVersion": version, "profileMapping": mapping["watchlists by-cik"]})
			}
			for table, all := range requests {
				if _, err := r.DB.BatchWriteItem(r.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: all}}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		r.Fatal(err)
	}
}

// A run costs one request a page, and one a hundred items looked up, in each
// pass; what it holds in memory does not grow with the tables.
func TestARunCostsFewRequestsAndLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("a large table")
	}
	const items, page, segments = largeItems, 1000, 4
	inRig(t, func(r *rig) {
		r.fill(items)
		config := r.config(false, &findings{})
		config.PageItems, config.Segments = page, segments
		base := heap()
		var most uint64
		var pages int
		config.Report = func(reconcile.Progress) {
			if pages++; pages%50 == 0 {
				most = max(most, heap())
			}
		}
		before := r.Engine.Requests()
		result, err := must(reconcile.New(config)).Run(r.Context())
		spent := r.Engine.Requests().Since(before)
		if err != nil || result.Drifted() != 0 || result.InFlight != 0 || result.Scanned != 4*items || result.Compared != 3*items {
			r.Fatalf("%+v, %v", result, err)
		}
		// Pass 1 looks up two item replicas; each other pass looks the source up.
		// Each segment may end within a page and within a hundred.
		perTable := int64(items/page + segments)
		if got := spent.Of(localaws.DynamoDB, "Scan"); got > 4*perTable {
			r.Errorf("%d scans, want at most %d", got, 4*perTable)
		}
		if got, most := spent.Of(localaws.DynamoDB, "BatchGetItem"), int64(5*(items/100+segments)); got > most {
			r.Errorf("%d BatchGetItems, want at most %d", got, most)
		}
		if spent.Of(localaws.DynamoDB, "GetItem") != 0 {
			r.Error("items were read one by one")
		}
		if grown := int64(most) - int64(base); grown > 64<<20 {
			r.Errorf("%d bytes more are live than before", grown)
		}
	})
}

// heap is what is reachable.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

var million = flag.Int("items", 1_000_000, "items of BenchmarkOnePass")

// serveEnv has the test's binary be an engine, so that the tables are in no
// memory that is measured.
const serveEnv = "RECONCILE_TEST_SERVE"

// serve serves until the standard input, which is the parent's, is closed.
func serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	engine := localaws.New(localaws.Config{})
	defer engine.Close()
	fmt.Println("http://" + listener.Addr().String())
	return engine.Serve(ctx, listener)
}

// BenchmarkOnePass compares a million items with their copies in three
// replicas, and reports the highest heap and what it took from the system. The
// engine, in a process of its own, wants some 16 GB:
//
//	go test ./reconcile -run '^$' -bench OnePass -benchtime 1x -timeout 1h
func BenchmarkOnePass(b *testing.B) {
	engine := exec.Command(os.Args[0])
	engine.Env, engine.Stderr = append(os.Environ(), serveEnv+"=1"), os.Stderr
	in, out := must(engine.StdinPipe()), must(engine.StdoutPipe())
	if err := engine.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = engine.Wait() }()
	address := strings.TrimSpace(must(bufio.NewReader(out).ReadString('\n')))
	client := awshttp.NewBuildableClient()
	r := newRig(&accounttest.Rig{TB: b, Account: accounttest.New(aws.Config{
		Region: "us-east-1", BaseEndpoint: &address, HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider("localaws", "localaws", ""),
	})})
	r.fill(*million)
	for b.Loop() {
		var most, system atomic.Uint64
		sampling, stop := context.WithCancel(b.Context())
		var sampler sync.WaitGroup
		sampler.Go(func() {
			for sampling.Err() == nil {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), m.HeapAlloc))
				system.Store(max(system.Load(), m.HeapSys-m.HeapReleased))
				select {
				case <-sampling.Done():
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
		config := r.config(false, &findings{})
		config.PageItems, config.Segments = 0, 0
		result, err := must(reconcile.New(config)).Run(b.Context())
		stop()
		sampler.Wait()
		if err != nil || result.Drifted() != 0 || result.Compared != 3*int64(*million) {
			b.Fatalf("%+v, %v", result, err)
		}
		b.ReportMetric(float64(most.Load())/(1<<20), "heap-MiB")
		b.ReportMetric(float64(system.Load())/(1<<20), "system-MiB")
		b.ReportMetric(float64(result.Compared)/b.Elapsed().Seconds(), "compared/s")
	}
}
