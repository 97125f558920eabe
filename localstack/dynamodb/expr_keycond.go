package dynamodb

// keyQuery is what a KeyConditionExpression asks for: one partition and a
// range of its sort keys.
type keyQuery struct {
	hash value
	rows keyRange
}

// keyCondition compiles a KeyConditionExpression for keys. It is a condition
// of a narrow form: equality on the partition key, and at most one comparison
// of the sort key.
func (s *scope) keyCondition(src string, keys keySchema) (*keyQuery, error) {
	c, err := s.condition("KeyConditionExpression", &src)
	if err != nil {
		return nil, err
	}
	parts, err := keyParts(c.condition, nil)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]keyPart, 2)
	for _, p := range parts {
		if _, twice := byName[p.name]; twice {
			return nil, validation("KeyConditionExpressions must only contain one condition per key")
		}
		byName[p.name] = p
	}
	return keys.query(byName)
}

// keyPart is one condition on one attribute.
type keyPart struct {
	name     string
	operator string // =, <, <=, >, >=, BETWEEN, begins_with
	args     []value
}

// keyParts takes the conjunction apart.
func keyParts(c condition, parts []keyPart) ([]keyPart, error) {
	switch c := c.(type) {
	case andCondition:
		parts, err := keyParts(c.left, parts)
		if err != nil {
			return nil, err
		}
		return keyParts(c.right, parts)
	case comparison:
		if c.operator == "<>" {
			return nil, badKeyOperator("<>")
		}
		return appendPart(parts, c.operator, c.left, c.right)
	case betweenCondition:
		return appendPart(parts, "BETWEEN", c.what, c.low, c.high)
	case functionCondition:
		if c.name == "begins_with" {
			return appendPart(parts, c.name, c.args...)
		}
		return nil, badKeyOperator(c.name)
	case orCondition:
		return nil, badKeyOperator("OR")
	case notCondition:
		return nil, badKeyOperator("NOT")
	}
	return nil, badKeyOperator("IN")
}

func badKeyOperator(operator string) error {
	return validation("Invalid operator used in KeyConditionExpression: %s", operator)
}

// mirrored turns ":v < sk" into "sk > :v".
var mirrored = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func appendPart(parts []keyPart, operator string, operands ...operand) ([]keyPart, error) {
	first := operands[0]
	if flipped, ok := mirrored[operator]; ok && first.path == nil {
		operator, operands = flipped, []operand{operands[1], first}
		first = operands[0]
	}
	for _, o := range operands {
		if o.size {
			return nil, validation("KeyConditionExpressions cannot contain nested operations")
		}
	}
	switch {
	case first.path == nil:
		return nil, validation("Invalid condition in KeyConditionExpression: %s operator must have the key attribute as its first operand", operator)
	case len(first.path) > 1:
		return nil, validation("KeyConditionExpressions cannot have conditions on nested attributes")
	}
	p := keyPart{name: first.path[0].name, operator: operator}
	for _, o := range operands[1:] {
		if o.path != nil {
			return nil, validation("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
		}
		p.args = append(p.args, o.literal)
	}
	return append(parts, p), nil
}

// query turns the parts into a range of stored keys.
func (k keySchema) query(parts map[string]keyPart) (*keyQuery, error) {
	hash, ok := parts[k.hash.name]
	if !ok {
		return nil, validation("Query condition missed key schema element: %s", k.hash.name)
	}
	if hash.operator != "=" {
		return nil, validation("Query key condition not supported")
	}
	if err := k.hash.checkArgs(hash); err != nil {
		return nil, err
	}
	q := &keyQuery{hash: hash.args[0]}
	prefix := partitionPrefix(q.hash)
	q.rows = prefixRange(prefix)
	if len(parts) == 1 {
		return q, nil
	}
	sort, ok := parts[k.sort.name]
	switch {
	case k.sort.name == "":
		return nil, validation("Query key condition not supported")
	case !ok:
		return nil, validation("Query condition missed key schema element: %s", k.sort.name)
	case len(parts) > 2:
		return nil, validation("Conditions can be of length 1 or 2 only")
	}
	if err := k.sort.checkArgs(sort); err != nil {
		return nil, err
	}
	q.narrow(prefix, sort)
	return q, nil
}

// checkArgs insists on the schema's type, and on what a key may be.
func (a keyAttribute) checkArgs(p keyPart) error {
	for _, v := range p.args {
		if v.kind != a.kind {
			return validation("One or more parameter values were invalid: Condition parameter type does not match schema type")
		}
		if a.kind != kindN && v.text == "" && p.operator == "=" {
			return emptyKey(a)
		}
		if v.size() > maxHashKeySize {
			return validation("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes")
		}
	}
	if p.operator == "begins_with" && a.kind == kindN {
		return validation("Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N")
	}
	return nil
}

// narrow limits q to the sort keys that p allows.
func (q *keyQuery) narrow(prefix string, p keyPart) {
	at := prefix + escapeSort(p.args[0])
	switch p.operator {
	case "=":
		q.rows = keyRange{at + sortTerminator, at + afterSort}
	case "<":
		q.rows.hi = at + sortTerminator
	case "<=":
		q.rows.hi = at + afterSort
	case ">":
		q.rows.lo = at + afterSort
	case ">=":
		q.rows.lo = at + sortTerminator
	case "begins_with":
		q.rows = prefixRange(at)
	case "BETWEEN":
		q.rows = keyRange{at + sortTerminator, prefix + escapeSort(p.args[1]) + afterSort}
	}
}

// checkFilter refuses a filter on the key attributes: they belong into the key
// condition.
func (k keySchema) checkFilter(filter *parsedCondition) error {
	if filter == nil {
		return nil
	}
	for _, p := range filter.paths {
		if k.has(p[0].name) {
			return validation("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", p[0].name)
		}
	}
	return nil
}
