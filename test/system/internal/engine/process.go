package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"sync"
	"time"
)

// startWithin bounds how long a process may take until it answers HTTP.
const startWithin = 60 * time.Second

// tail keeps the last bytes that a process wrote.
type tail struct {
	mu    sync.Mutex
	bytes []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes = append(t.bytes, p...)
	if over := len(t.bytes) - 2048; over > 0 {
		t.bytes = t.bytes[over:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.bytes))
}

// tethered runs a program that is killed when the shell's input ends, and so
// also when the tests were killed and can stop nothing.
const tethered = `exec 3<&0
"$@" 3<&- &
child=$!
{ cat <&3; kill -9 $child; } >/dev/null 2>&1 &
wait $child`

// start runs a server and returns once it answers HTTP at the port, with what
// ends it.
func start(ctx context.Context, port, dir, program string, args ...string) (stop func() error, err error) {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	cmd := exec.CommandContext(running, "sh", append([]string{"-c", tethered, "sh", program}, args...)...)
	cmd.Dir = dir
	cmd.WaitDelay = 5 * time.Second
	var said tail
	cmd.Stdout, cmd.Stderr = &said, &said
	tether, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop = sync.OnceValue(func() error {
		defer cancel()
		err := tether.Close()
		<-ended // killed, so its exit code says nothing
		return err
	})
	within, done := context.WithTimeout(ctx, startWithin)
	defer done()
	for {
		if answers(within, "http://127.0.0.1:"+port) {
			return stop, nil
		}
		select {
		case err := <-ended:
			cancel() // Wait has closed the tether
			return nil, fmt.Errorf("start %s: it ended before it listened (%v): %s", program, err, &said)
		case <-within.Done():
			return nil, errors.Join(fmt.Errorf("start %s: no answer in %v: %s", program, startWithin, &said), stop())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// answers reports whether an HTTP server is there, whatever it says.
func answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	client := http.Client{Timeout: 2 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil
}

// StartMoto starts moto's server. If it is not to be had, the error is a
// *Missing.
func StartMoto(ctx context.Context) (*Engine, error) {
	missing := func(err error) error {
		return &Missing{Engine: Moto, Err: err, Advice: "moto_server has to be on the PATH: pip install 'moto[server]'"}
	}
	program, err := exec.LookPath("moto_server")
	if err != nil {
		return nil, missing(err)
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	stop, err := start(ctx, port, "", program, "-H", "127.0.0.1", "-p", port)
	if err != nil {
		return nil, missing(err)
	}
	e := behind(Moto, "http://127.0.0.1:"+port)
	e.stop = stop
	return e, nil
}
