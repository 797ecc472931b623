// Package api calls the REST APIs of the profile and the stats service, as any
// client of theirs would.
//
// It promises that a call which finds the service down, restarting or too busy
// is made again for a while: every call here may be repeated. It does not
// promise that a call which is given up has had no effect.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// callTimeout bounds one attempt.
	callTimeout = 15 * time.Second
	// patience is how long a service may be away before a call is given up.
	patience = 2 * time.Minute
	// firstPause and maxPause bound the time between two attempts.
	firstPause, maxPause = 20 * time.Millisecond, 500 * time.Millisecond
	// maxAnswerBytes bounds what is read of an answer.
	maxAnswerBytes = 8 << 20
)

// Refused is an answer that is neither a success nor one to try again.
type Refused struct {
	Call   string // method and URL
	Status int
	Body   string
}

func (r *Refused) Error() string {
	return fmt.Sprintf("%s: status %d: %s", r.Call, r.Status, r.Body)
}

// caller makes calls to one service. It is safe for concurrent use.
type caller struct {
	base   string
	client *http.Client
}

func newCaller(base string) caller {
	return caller{base: base, client: &http.Client{
		Timeout:   callTimeout,
		Transport: &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 256, IdleConnTimeout: time.Minute},
	}}
}

// answer is what came back, read in full.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// call sends a request until it is answered for good. The statuses beyond the
// 2xx that the caller knows how to take are named.
func (c caller) call(ctx context.Context, method, path string, body any, takes ...int) (answer, error) {
	var encoded []byte
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return answer{}, fmt.Errorf("%s %s: %w", method, c.base+path, err)
		}
	}
	began, pause := time.Now(), firstPause
	for {
		a, err := c.attempt(ctx, method, path, encoded)
		switch {
		case err == nil && a.final():
			return a, a.check(method+" "+c.base+path, takes)
		case ctx.Err() != nil:
			return answer{}, fmt.Errorf("%s %s: %w", method, c.base+path, context.Cause(ctx))
		case time.Since(began) > patience && err != nil:
			return answer{}, fmt.Errorf("given up after %s: %w", patience, err)
		case time.Since(began) > patience:
			return a, a.check(method+" "+c.base+path, takes)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		pause = min(2*pause, maxPause)
	}
}

func (c caller) attempt(ctx context.Context, method, path string, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	read, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return answer{}, fmt.Errorf("%s %s: read the answer: %w", method, c.base+path, err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: read}, nil
}

// final reports whether the answer would be the same next time.
func (a answer) final() bool {
	switch a.status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false
	}
	return true
}

func (a answer) check(call string, takes []int) error {
	if a.status >= 200 && a.status < 300 {
		return nil
	}
	for _, status := range takes {
		if a.status == status {
			return nil
		}
	}
	return &Refused{Call: call, Status: a.status, Body: string(bytes.TrimSpace(a.body[:min(len(a.body), 1000)]))}
}

func (a answer) decode(call string, into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("%s: answer: %w", call, err)
	}
	return nil
}
