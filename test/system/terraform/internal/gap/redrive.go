package gap

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// The operations on a queue's attributes, the one attribute that moto has not
// and one that it has otherwise (SQS API Reference, SetQueueAttributes).
const (
	setAttributes = "AmazonSQS.SetQueueAttributes"
	getAttributes = "AmazonSQS.GetQueueAttributes"
	deleteQueue   = "AmazonSQS.DeleteQueue"

	redriveAllowPolicy = "RedriveAllowPolicy"
	redrivePolicy      = "RedrivePolicy"
)

// redrives are the policies that say which queues may redrive to a queue. moto
// takes one and forgets it, and the provider waits until it reads what it wrote.
// The policy of the queue that redrives moto keeps, but answers with spaces in it
// that nobody wrote, which the provider would take for a change.
type redrives struct {
	mu      sync.Mutex
	byQueue map[string]string // by the queue's URL
}

func (*redrives) serves(target string) bool {
	return target == setAttributes || target == getAttributes || target == deleteQueue
}

// serve passes a request on to moto, with what is said of the policy in it kept
// and in the answer added.
func (r *redrives) serve(w http.ResponseWriter, request *http.Request, target string, body []byte, moto http.Handler) {
	var asked struct {
		QueueURL       string `json:"QueueUrl"`
		Attributes     map[string]string
		AttributeNames []string
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if target == getAttributes && slices.Equal(asked.AttributeNames, []string{redriveAllowPolicy}) {
		answer(w, http.StatusOK, map[string]any{"Attributes": r.of(asked.QueueURL)}) // moto knows no such name
		return
	}
	if _, ok := asked.Attributes[redriveAllowPolicy]; ok && len(asked.Attributes) == 1 {
		// moto takes away a queue's policy when it sets anything without it, and
		// the provider, which sets both at once, waits for the policy: so moto is
		// only asked whether there is such a queue.
		request.Header.Set("X-Amz-Target", getAttributes)
	}
	answered := &held{header: http.Header{}, status: http.StatusOK}
	moto.ServeHTTP(answered, request)
	if answered.status == http.StatusOK {
		switch target {
		case setAttributes:
			r.keep(asked.QueueURL, asked.Attributes)
		case deleteQueue:
			r.keep(asked.QueueURL, map[string]string{redriveAllowPolicy: ""})
		case getAttributes:
			further := map[string]string{}
			if slices.Contains(asked.AttributeNames, "All") {
				further = r.of(asked.QueueURL)
			}
			answered.amend(further)
		}
	}
	answered.release(w)
}

// keep notes a policy that is set; an empty one takes it away.
func (r *redrives) keep(queue string, set map[string]string) {
	policy, ok := set[redriveAllowPolicy]
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if policy == "" {
		delete(r.byQueue, queue)
		return
	}
	r.byQueue[queue] = policy
}

// of returns the attribute of a queue, if it has it.
func (r *redrives) of(queue string) map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if policy, ok := r.byQueue[queue]; ok {
		return map[string]string{redriveAllowPolicy: policy}
	}
	return map[string]string{}
}

// held is an answer that is kept until it is whole.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *held) Header() http.Header         { return h.header }
func (h *held) WriteHeader(status int)      { h.status = status }
func (h *held) Write(p []byte) (int, error) { return h.body.Write(p) }

// amend puts further attributes into an answer that has some, and takes the
// spaces out of its redrive policy.
func (h *held) amend(further map[string]string) {
	var said struct{ Attributes map[string]string }
	if json.Unmarshal(h.body.Bytes(), &said) != nil || said.Attributes == nil {
		return
	}
	maps.Copy(said.Attributes, further)
	var plain bytes.Buffer
	if json.Compact(&plain, []byte(said.Attributes[redrivePolicy])) == nil {
		said.Attributes[redrivePolicy] = plain.String()
	}
	if text, err := json.Marshal(said); err == nil {
		h.body.Reset()
		h.body.Write(text)
		h.header.Set("Content-Length", strconv.Itoa(len(text)))
	}
}

// release sends the answer. One that does not get through is the client's to
// report.
func (h *held) release(w http.ResponseWriter) {
	maps.Copy(w.Header(), h.header)
	w.WriteHeader(h.status)
	_, _ = w.Write(h.body.Bytes())
}
