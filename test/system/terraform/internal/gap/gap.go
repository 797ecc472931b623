// Package gap stands between Terraform and moto's server and answers what moto
// does not.
//
// It promises to pass on everything else as it is. It answers for the tags of
// Application Auto Scaling's targets, which the provider reads after it has made
// one and moto has no operation for, for Lambda's event source mappings, which
// moto's poller would empty the stream by, and for the policies of dead-letter
// queues that say whose letters they take. It says only what Terraform itself
// has said: nothing can be learnt from it of how AWS behaves.
package gap

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
)

// The operations that moto lacks, and the one that has what they answer, as
// their requests name them (Application Auto Scaling API Reference).
const (
	registerTarget = "AnyScaleFrontendService.RegisterScalableTarget"
	listTags       = "AnyScaleFrontendService.ListTagsForResource"
)

// maxBody bounds what is held of a request that is looked into, in bytes.
const maxBody = 1 << 20

// Filler is a server before moto's. It is safe for concurrent use.
type Filler struct {
	proxy    *httputil.ReverseProxy
	mappings mappings
	redrives redrives

	mu   sync.Mutex
	tags map[string]json.RawMessage // by the target's ARN
}

// New returns a server that passes on to the one at a URL.
func New(engine string) (*Filler, error) {
	to, err := url.Parse(engine)
	if err != nil {
		return nil, fmt.Errorf("stand before %s: %w", engine, err)
	}
	f := &Filler{
		tags:     make(map[string]json.RawMessage),
		mappings: mappings{byID: make(map[string]map[string]any)},
		redrives: redrives{byQueue: make(map[string]string)},
	}
	f.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = to.Host // moto's own address is in the URLs of its queues
		},
	}
	return f, nil
}

// ServeHTTP answers what moto lacks, and passes on the rest.
func (f *Filler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	if target != registerTarget && target != listTags && !f.redrives.serves(target) && !f.mappings.serves(r) {
		f.proxy.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch {
	case f.mappings.serves(r):
		f.mappings.serve(w, r.Method, r.URL.Path, body)
		return
	case f.redrives.serves(target):
		f.redrives.serve(w, r, target, body, f.proxy)
		return
	case target == listTags:
		f.list(w, body)
		return
	}
	answered := &recorder{ResponseWriter: w}
	f.proxy.ServeHTTP(answered, r)
	f.remember(body, answered.body.Bytes())
}

// list answers with the tags of a target.
func (f *Filler) list(w http.ResponseWriter, body []byte) {
	var asked struct{ ResourceARN string }
	if err := json.Unmarshal(body, &asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	tags, ok := f.tags[asked.ResourceARN]
	f.mu.Unlock()
	if !ok {
		tags = json.RawMessage(`{}`)
	}
	answer(w, http.StatusOK, map[string]json.RawMessage{"Tags": tags})
}

// remember keeps the tags that a target was registered with. Registering it
// again without tags leaves those it has.
func (f *Filler) remember(request, answer []byte) {
	var registered struct{ Tags json.RawMessage }
	var made struct{ ScalableTargetARN string }
	if json.Unmarshal(request, &registered) != nil || json.Unmarshal(answer, &made) != nil {
		return // refused; the caller has the answer
	}
	if made.ScalableTargetARN == "" || len(registered.Tags) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tags[made.ScalableTargetARN] = registered.Tags
}

// recorder keeps a copy of an answer.
type recorder struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) {
	r.body.Write(p)
	return r.ResponseWriter.Write(p)
}
