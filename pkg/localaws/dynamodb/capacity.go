package dynamodb

// Units as "DynamoDB read and write operations" counts them.

// writeUnits is what writing an item of the given bytes costs: one unit for
// each KB begun, at least one.
func writeUnits(size int) float64 { return float64(max(1, (size+1023)/1024)) }

// readUnits is what reading the given bytes costs: one unit for each 4 KB
// begun, at least one, half of it for an eventually consistent read.
func readUnits(size int, consistent bool) float64 {
	units := float64(max(1, (size+4095)/4096))
	if consistent {
		return units
	}
	return units / 2
}

// writeCost is what one write consumed.
type writeCost struct {
	table  float64
	local  map[string]float64
	global map[string]float64
}

func (c *writeCost) add(index string, local bool, units float64) {
	into := &c.global
	if local {
		into = &c.local
	}
	if *into == nil {
		*into = make(map[string]float64)
	}
	(*into)[index] += units
}

// plus adds another write's cost.
func (c *writeCost) plus(o writeCost) {
	c.table += o.table
	for name, units := range o.local {
		c.add(name, true, units)
	}
	for name, units := range o.global {
		c.add(name, false, units)
	}
}

func (c writeCost) total() float64 {
	sum := c.table
	for _, units := range c.local {
		sum += units
	}
	for _, units := range c.global {
		sum += units
	}
	return sum
}

// capacity is AWS's Capacity.
type capacity struct {
	CapacityUnits      float64
	ReadCapacityUnits  *float64 `json:",omitempty"`
	WriteCapacityUnits *float64 `json:",omitempty"`
}

// consumedCapacity is AWS's ConsumedCapacity.
type consumedCapacity struct {
	TableName              string
	CapacityUnits          float64
	ReadCapacityUnits      *float64            `json:",omitempty"`
	WriteCapacityUnits     *float64            `json:",omitempty"`
	Table                  *capacity           `json:",omitempty"`
	LocalSecondaryIndexes  map[string]capacity `json:",omitempty"`
	GlobalSecondaryIndexes map[string]capacity `json:",omitempty"`
}

const (
	capacityNone    = "NONE"
	capacityTotal   = "TOTAL"
	capacityIndexes = "INDEXES"
)

func checkReturnCapacity(how string) error {
	return oneOf(how, "returnConsumedCapacity", capacityIndexes, capacityTotal, capacityNone)
}

// consumed is a cost in AWS's shape, nil unless the request asked for it.
func consumed(how, table string, c writeCost) *consumedCapacity {
	if how != capacityTotal && how != capacityIndexes {
		return nil
	}
	out := &consumedCapacity{TableName: table, CapacityUnits: c.total()}
	if how == capacityIndexes {
		out.Table = &capacity{CapacityUnits: c.table}
		out.LocalSecondaryIndexes = capacities(c.local)
		out.GlobalSecondaryIndexes = capacities(c.global)
	}
	return out
}

func capacities(units map[string]float64) map[string]capacity {
	if len(units) == 0 {
		return nil
	}
	out := make(map[string]capacity, len(units))
	for name, n := range units {
		out[name] = capacity{CapacityUnits: n}
	}
	return out
}

// transactional doubles a cost, as transactions do, and tells reads from
// writes, as their answers do.
func transactional(how, table string, c writeCost, write bool) *consumedCapacity {
	double := c
	double.plus(c)
	out := consumed(how, table, double)
	if out == nil {
		return nil
	}
	mark := func(units float64) (read, written *float64) {
		if write {
			return nil, &units
		}
		return &units, nil
	}
	out.ReadCapacityUnits, out.WriteCapacityUnits = mark(out.CapacityUnits)
	if out.Table != nil {
		out.Table.ReadCapacityUnits, out.Table.WriteCapacityUnits = mark(out.Table.CapacityUnits)
	}
	for _, m := range []map[string]capacity{out.LocalSecondaryIndexes, out.GlobalSecondaryIndexes} {
		for name, c := range m {
			c.ReadCapacityUnits, c.WriteCapacityUnits = mark(c.CapacityUnits)
			m[name] = c
		}
	}
	return out
}
