package conformance

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/test/system/internal/engine"
)

var (
	engines    = flag.String("engines", "localaws", "what to run the cases against: localaws, or all")
	operations = flag.Int("operations", 2000, "generated operations to compare")
	seed       = flag.Uint64("seed", 1, "seed of the generated operations")
)

// suite is what the cases run on.
var suite struct {
	running []*engine.Engine
	missing []error

	mu     sync.Mutex // guards what follows
	ran    map[string]int
	alone  int            // cases that only localaws can be made to run
	noted  map[string]int // of those, the ones with a known difference
	agreed string         // what the generated operations came to
}

func TestMain(m *testing.M) {
	flag.Parse()
	// Cases wait for messages more than they compute.
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	os.Exit(run(m))
}

// run starts the engines, runs the tests and says what ran.
func run(m *testing.M) int {
	began := time.Now()
	suite.ran, suite.noted = make(map[string]int), make(map[string]int)
	starters := []func(context.Context) (*engine.Engine, error){engine.StartLocalaws}
	switch *engines {
	case "localaws":
	case "all":
		starters = append(starters, engine.StartDynamoDBLocal, engine.StartMoto)
	default:
		fmt.Fprintf(os.Stderr, "engines %q: want localaws or all\n", *engines)
		return 2
	}
	code := 0
	for _, start := range starters {
		e, err := start(context.Background())
		var missing *engine.Missing
		switch {
		case errors.As(err, &missing):
			suite.missing = append(suite.missing, err)
		case err != nil:
			fmt.Fprintln(os.Stderr, err)
			code = 1
		default:
			suite.running = append(suite.running, e)
		}
	}
	code = max(code, m.Run())
	for _, e := range suite.running {
		if err := e.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	summarise(time.Since(began))
	return code
}

// summarise says what ran and what did not.
func summarise(took time.Duration) {
	fmt.Printf("\nconformance, in %v:\n", took.Round(100*time.Millisecond))
	for _, e := range suite.running {
		fmt.Printf("  %-15s %3d cases, %d of them with a known difference from AWS\n", e.Name, suite.ran[e.Name], suite.noted[e.Name])
	}
	if suite.alone > 0 {
		fmt.Printf("  %-15s %3d of its cases can be brought about on it alone\n", engine.Localaws, suite.alone)
	}
	if suite.agreed != "" {
		fmt.Printf("  generated       %s\n", suite.agreed)
	}
	for _, err := range suite.missing {
		fmt.Printf("  NOT RUN         %v\n", err)
		if missing := (*engine.Missing)(nil); errors.As(err, &missing) && missing.Engine == engine.DynamoDBLocal {
			fmt.Printf("  NOT RUN         the generated operations, which need %s\n", missing.Engine)
		}
	}
}
