package dynamodb

// Capacity as AWS bills it.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
const (
	readUnitSize  = 4 << 10
	writeUnitSize = 1 << 10
	// transactionFactor: a transaction prepares and commits every item.
	transactionFactor = 2
)

// writeUnits is never 0: writing nothing costs a unit, too.
func writeUnits(bytes int) float64 { return float64(blocks(bytes, writeUnitSize)) }

// readUnits rounds the sum of all that one Get, Query or Scan has read. Finding
// nothing costs as much as the smallest item.
func readUnits(bytes int, consistent bool) float64 {
	n := float64(blocks(bytes, readUnitSize))
	if !consistent {
		n /= 2
	}
	return n
}

func blocks(bytes, unit int) int { return max(1, (bytes+unit-1)/unit) }

// cost is what one operation has consumed of one table, in units.
type cost struct {
	table   float64
	indexes map[string]float64
}

func (c *cost) add(d cost) {
	c.table += d.table
	for name, units := range d.indexes {
		c.addIndex(name, units)
	}
}

func (c *cost) addIndex(name string, units float64) {
	if units == 0 {
		return
	}
	if c.indexes == nil {
		c.indexes = map[string]float64{}
	}
	c.indexes[name] += units
}

func (c *cost) total() float64 {
	sum := c.table
	for _, units := range c.indexes {
		sum += units
	}
	return sum
}

func (c cost) times(factor float64) cost {
	out := cost{table: c.table * factor}
	for name, units := range c.indexes {
		out.addIndex(name, units*factor)
	}
	return out
}

// capacityUse tells the kinds of operation apart that report in their own way:
// transactions also give reads and writes separately.
type capacityUse uint8

const (
	useSimple capacityUse = iota
	useTransactRead
	useTransactWrite
)

// report makes the ConsumedCapacity of one table, nil where mode asks for none.
func (c cost) report(mode, table string, use capacityUse) *consumedCapacity {
	if mode != "TOTAL" && mode != "INDEXES" {
		return nil
	}
	out := &consumedCapacity{TableName: table, capacity: newCapacity(c.total(), use)}
	if mode == "TOTAL" {
		return out
	}
	t := newCapacity(c.table, use)
	out.Table = &t
	for name, units := range c.indexes {
		if out.GlobalSecondaryIndexes == nil {
			out.GlobalSecondaryIndexes = map[string]capacity{}
		}
		out.GlobalSecondaryIndexes[name] = newCapacity(units, use)
	}
	return out
}

func newCapacity(units float64, use capacityUse) capacity {
	c := capacity{CapacityUnits: units}
	switch use {
	case useTransactRead:
		c.ReadCapacityUnits = &units
	case useTransactWrite:
		c.WriteCapacityUnits = &units
	}
	return c
}

func checkCapacityMode(mode string) error {
	switch mode {
	case "", "NONE", "TOTAL", "INDEXES":
		return nil
	}
	return enumConstraint(mode, "returnConsumedCapacity", []string{"INDEXES", "TOTAL", "NONE"})
}
