package status

import (
	"fmt"
	"io"
	"strings"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
)

// Graph prints the report as a Mermaid flowchart: owners, topics, queues and
// subscribers, with what waits where.
func (r *Report) Graph(out io.Writer) {
	g := &graph{out: out, ids: map[string]string{}}
	fmt.Fprintln(out, "flowchart LR")
	for _, t := range r.Topics {
		topic := g.node("topic "+t.Name, "([%s])", t.Name, plain(t.ARN, func(string) string { return "" }))
		if t.Owner != "" {
			g.edge(g.node("service "+t.Owner, "[%s]", t.Owner), topic, drawn("relay", t.Relay.Behind))
			if letters := plain(t.Relay.Letters, total); letters != "0" {
				g.edge(g.node("service "+t.Owner, "[%s]", t.Owner), g.node("queue "+t.Relay.DeadLetterQueue, "[(%s)]", t.Relay.DeadLetterQueue, letters+" dead"), "")
			}
		}
		for _, s := range t.Subscriptions {
			queue := g.node("queue "+s.Queue, "[/%s/]", s.Queue, plain(s.Depth, total)+" messages")
			g.edge(topic, queue, plain(s.Settings, func(set Settings) string {
				if len(set.Differences) > 0 {
					return "not as declared"
				}
				return ""
			}))
			g.edge(queue, g.node("service "+s.Subscriber, "[%s]", s.Subscriber), drawn("copies", s.Lag))
			if letters := plain(s.Letters, total); letters != "0" {
				g.edge(queue, g.node("queue "+s.DeadLetterQueue, "[(%s)]", s.DeadLetterQueue, letters+" dead"), "")
			}
		}
		if t.Others.Value != nil {
			for _, o := range *t.Others.Value {
				g.edge(topic, g.node("other "+o.Endpoint, "{{%s}}", o.Endpoint, "not declared"), "")
			}
		}
	}
}

// drawn says how far something is, as an arrow's label.
func drawn(what string, c Cell[lag.Age]) string {
	switch {
	case c.Value == nil && c.Unread != "":
		return what + " not read"
	case c.Value == nil:
		return what + " not known"
	case c.Value.Kind == lag.None:
		return what + " up to date"
	}
	return what + " " + c.Value.String() + " behind"
}

type graph struct {
	out io.Writer
	ids map[string]string
}

// node prints a node the first time and returns its id. Empty lines of its text
// are left out.
func (g *graph) node(what, shape string, lines ...string) string {
	if id, ok := g.ids[what]; ok {
		return id
	}
	id := fmt.Sprintf("n%d", len(g.ids))
	g.ids[what] = id
	var said []string
	for _, line := range lines {
		if line != "" {
			said = append(said, quoted(line))
		}
	}
	fmt.Fprintf(g.out, "  %s"+shape+"\n", id, `"`+strings.Join(said, "<br>")+`"`)
	return id
}

func (g *graph) edge(from, to, text string) {
	if text == "" {
		fmt.Fprintf(g.out, "  %s --> %s\n", from, to)
		return
	}
	fmt.Fprintf(g.out, "  %s -->|\"%s\"| %s\n", from, quoted(text), to)
}

// quoted makes text safe between Mermaid's quotes.
func quoted(text string) string {
	return strings.NewReplacer(`"`, "#quot;", "<", "#lt;", ">", "#gt;", "\n", " ").Replace(text)
}
