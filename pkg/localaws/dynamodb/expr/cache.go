package expr

import (
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

type grammar uint8

const (
	conditionGrammar grammar = iota
	updateGrammar
	projectionGrammar
)

// sharedTrees bounds a Cache. At 4 KB of text each they stay below some tens
// of megabytes.
const sharedTrees = 1024

// Cache keeps parsed expressions by their text, so that a statement that is
// sent again and again is parsed once. It is safe for concurrent use.
type Cache struct {
	trees *lru.Cache[statement, *tree]
}

type statement struct {
	grammar grammar
	text    string
}

// NewCache returns an empty cache, which holds 1,024 expressions at most.
func NewCache() *Cache {
	trees, err := lru.New[statement, *tree](sharedTrees)
	if err != nil {
		return &Cache{} // only a size below one is refused
	}
	return &Cache{trees: trees}
}

// Parameters is NewParameters, with expressions parsed through the cache.
func (c *Cache) Parameters(names map[string]string, values map[string]attr.Value) (*Parameters, error) {
	p, err := NewParameters(names, values)
	if err != nil {
		return nil, err
	}
	p.cache = c
	return p, nil
}

func (c *Cache) parse(g grammar, text string) (*tree, error) {
	if c == nil || c.trees == nil {
		return parse(g, text)
	}
	key := statement{g, text}
	if t, ok := c.trees.Get(key); ok {
		return t, nil
	}
	t, err := parse(g, text)
	if err == nil {
		c.trees.Add(key, t)
	}
	return t, err
}
