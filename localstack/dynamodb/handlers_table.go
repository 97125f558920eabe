package dynamodb

import (
	"context"
	"slices"
	"strings"

	"fanfare/localstack/awsproto"
)

func (s *Service) createTable(ctx context.Context, in *createTableInput) (*tableOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	settings, err := s.newSettings(ctx, in)
	if err != nil {
		return nil, err
	}
	id := tableID{awsproto.CallFrom(ctx).Region, in.TableName}
	s.tables.mu.Lock()
	defer s.tables.mu.Unlock()
	if _, taken := s.tables.byID[id]; taken {
		return nil, inUse("Table already exists: %s", in.TableName)
	}
	t := newTable(id, settings)
	s.tables.byID[id] = t
	return &tableOutput{t.describe("ACTIVE")}, nil
}

func (s *Service) newSettings(ctx context.Context, in *createTableInput) (tableSettings, error) {
	now := s.clock.Now()
	settings := tableSettings{
		ARN:                awsproto.ARN(ctx, "dynamodb", "table/"+in.TableName),
		ID:                 awsproto.NewRequestID(), // a UUID, too
		Created:            now,
		Attributes:         in.AttributeDefinitions,
		Keys:               in.KeySchema,
		Billing:            "PROVISIONED",
		DeletionProtection: in.DeletionProtectionEnabled,
		Class:              in.TableClass,
		Tags:               map[string]string{},
		SSE:                describeSSE(ctx, in.SSESpecification),
	}
	if in.BillingMode == "PAY_PER_REQUEST" {
		settings.Billing, settings.OnDemandSince = in.BillingMode, now
	}
	if in.ProvisionedThroughput != nil {
		settings.Throughput = *in.ProvisionedThroughput
	}
	for _, x := range in.GlobalSecondaryIndexes {
		settings.Indexes = append(settings.Indexes, x.settings())
	}
	return settings, addTags(settings.Tags, in.Tags)
}

// liveTable finds and locks the table of a control-plane request. The caller
// unlocks it.
func (s *Service) liveTable(ctx context.Context, name string) (*table, error) {
	t, ok := s.tables.get(ctx, name)
	if !ok {
		return nil, noSuchTableNamed(name)
	}
	t.mu.Lock()
	if t.deleted {
		t.mu.Unlock()
		return nil, noSuchTableNamed(name)
	}
	return t, nil
}

func (s *Service) describeTable(ctx context.Context, in *tableNameInput) (*describeTableOutput, error) {
	t, err := s.liveTable(ctx, in.TableName)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	return &describeTableOutput{t.describe("ACTIVE")}, nil
}

// deleteTable is done when it answers; the answer still says DELETING.
func (s *Service) deleteTable(ctx context.Context, in *tableNameInput) (*tableOutput, error) {
	t, err := s.liveTable(ctx, in.TableName)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	if t.settings.DeletionProtection {
		return nil, validation("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	t.deleted = true
	t.ttl.stop()
	s.tables.remove(t.id)
	return &tableOutput{t.describe("DELETING")}, nil
}

// remove may be called with a table's lock held: nothing waits for a table
// while it holds ts.mu.
func (ts *tables) remove(id tableID) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.byID, id)
}

const maxListTables = 100

func (s *Service) listTables(ctx context.Context, in *listTablesInput) (*listTablesOutput, error) {
	limit := maxListTables
	if in.Limit != nil {
		if limit = *in.Limit; limit < 1 || limit > maxListTables {
			return nil, constraint(limit, "limit", "Member must have value between 1 and %d", maxListTables)
		}
	}
	out := &listTablesOutput{TableNames: []string{}}
	for _, t := range s.tables.sorted() {
		if t.id.region != awsproto.CallFrom(ctx).Region || t.id.name <= in.ExclusiveStartTableName {
			continue
		}
		if len(out.TableNames) == limit {
			out.LastEvaluatedTableName = out.TableNames[limit-1]
			break
		}
		out.TableNames = append(out.TableNames, t.id.name)
	}
	return out, nil
}

// describe needs t.mu, or a table that nobody else has yet.
func (t *table) describe(status string) tableDescription {
	d := tableDescription{
		TableName:                 t.id.name,
		TableArn:                  t.settings.ARN,
		TableId:                   t.settings.ID,
		TableStatus:               status,
		CreationDateTime:          epoch{t.settings.Created},
		AttributeDefinitions:      t.settings.Attributes,
		KeySchema:                 t.settings.Keys,
		ItemCount:                 t.rows.rows.count,
		TableSizeBytes:            t.rows.bytes,
		ProvisionedThroughput:     t.settings.Throughput.describe(),
		SSEDescription:            t.settings.SSE,
		DeletionProtectionEnabled: t.settings.DeletionProtection,
	}
	if !t.settings.OnDemandSince.IsZero() {
		d.BillingModeSummary = &billingModeSummary{t.settings.Billing, epoch{t.settings.OnDemandSince}}
	}
	if t.settings.Class != "" {
		d.TableClassSummary = &tableClassSummary{t.settings.Class}
	}
	for _, x := range t.settings.Indexes {
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, t.describeIndex(x))
	}
	return d
}

func (t *table) describeIndex(x indexSettings) globalIndexDescription {
	held := t.index(x.Name)
	return globalIndexDescription{
		IndexName:             x.Name,
		IndexArn:              t.settings.ARN + "/index/" + x.Name,
		IndexStatus:           "ACTIVE",
		KeySchema:             x.Keys,
		Projection:            x.Projection,
		ItemCount:             held.rows.count,
		IndexSizeBytes:        held.bytes,
		ProvisionedThroughput: x.Throughput.describe(),
	}
}

func (p throughput) describe() throughputDescription {
	return throughputDescription{ReadCapacityUnits: p.ReadCapacityUnits, WriteCapacityUnits: p.WriteCapacityUnits}
}

// awsManagedKey stands for the account's alias/aws/dynamodb key.
const awsManagedKey = "aws-managed-dynamodb"

// describeSSE is what a table with this specification says of itself. Without
// one, or with Enabled false, AWS encrypts by a key of its own and says nothing.
func describeSSE(ctx context.Context, spec *sseSpecification) *sseDescription {
	if spec == nil || !spec.Enabled {
		return nil
	}
	key := spec.KMSMasterKeyId
	switch {
	case key == "":
		key = awsproto.ARN(ctx, "kms", "key/"+awsManagedKey)
	case strings.HasPrefix(key, "alias/"):
		key = awsproto.ARN(ctx, "kms", key)
	case !strings.HasPrefix(key, "arn:"):
		key = awsproto.ARN(ctx, "kms", "key/"+key)
	}
	return &sseDescription{Status: "ENABLED", SSEType: "KMS", KMSMasterKeyArn: key}
}

func (s *Service) updateTable(ctx context.Context, in *updateTableInput) (*tableOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	t, err := s.liveTable(ctx, in.TableName)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	next, err := s.updatedSettings(ctx, t, in)
	if err != nil {
		return nil, err
	}
	t.adopt(next)
	return &tableOutput{t.describe("ACTIVE")}, nil
}

// updatedSettings makes the settings after the update, leaving t's alone.
func (s *Service) updatedSettings(ctx context.Context, t *table, in *updateTableInput) (tableSettings, error) {
	next := t.settings
	if in.BillingMode != "" && in.BillingMode != next.Billing {
		next.Billing = in.BillingMode
		if in.BillingMode == "PAY_PER_REQUEST" {
			next.Throughput, next.OnDemandSince = throughput{}, s.clock.Now()
		}
	}
	if in.ProvisionedThroughput != nil {
		next.Throughput = *in.ProvisionedThroughput
	}
	if err := checkThroughput(next.Billing, "table", in.TableName, throughputOrNil(next.Throughput)); err != nil {
		return next, err
	}
	if in.SSESpecification != nil {
		next.SSE = describeSSE(ctx, in.SSESpecification)
	}
	if in.DeletionProtectionEnabled != nil {
		next.DeletionProtection = *in.DeletionProtectionEnabled
	}
	if in.TableClass != "" {
		next.Class = in.TableClass
	}
	if len(in.AttributeDefinitions) > 0 {
		next.Attributes = in.AttributeDefinitions
	}
	next.Indexes = slices.Clone(next.Indexes)
	for _, u := range in.GlobalSecondaryIndexUpdates {
		if err := u.apply(&next); err != nil {
			return next, err
		}
	}
	if next.Billing == "PAY_PER_REQUEST" {
		for i := range next.Indexes {
			next.Indexes[i].Throughput = throughput{}
		}
	}
	next.Attributes = usedAttributes(next)
	return next, checkSchemas(next)
}

func throughputOrNil(p throughput) *throughput {
	if p == (throughput{}) {
		return nil
	}
	return &p
}

// usedAttributes drops the definitions that only a deleted index needed.
func usedAttributes(settings tableSettings) []attributeDefinition {
	used := map[string]bool{}
	for _, k := range settings.allKeys() {
		used[k.AttributeName] = true
	}
	return slices.DeleteFunc(slices.Clone(settings.Attributes), func(d attributeDefinition) bool { return !used[d.AttributeName] })
}

func (u globalIndexUpdate) apply(settings *tableSettings) error {
	at := func(name string) int {
		return slices.IndexFunc(settings.Indexes, func(x indexSettings) bool { return x.Name == name })
	}
	switch {
	case u.Create != nil:
		if err := u.Create.check(settings.Billing); err != nil {
			return err
		}
		if at(u.Create.IndexName) >= 0 {
			return validation("Attempting to create an index which already exists")
		}
		settings.Indexes = append(settings.Indexes, u.Create.settings())
	case u.Delete != nil:
		i := at(u.Delete.IndexName)
		if i < 0 {
			return awsproto.Errorf(400, "ResourceNotFoundException", "Requested resource not found: index %s", u.Delete.IndexName)
		}
		settings.Indexes = slices.Delete(settings.Indexes, i, i+1)
	case u.Update != nil:
		if present(u.Update.OnDemandThroughput) || present(u.Update.WarmThroughput) {
			return unsupported("OnDemandThroughput and WarmThroughput")
		}
		i := at(u.Update.IndexName)
		if i < 0 {
			return awsproto.Errorf(400, "ResourceNotFoundException", "Requested resource not found: index %s", u.Update.IndexName)
		}
		if u.Update.ProvisionedThroughput != nil {
			settings.Indexes[i].Throughput = *u.Update.ProvisionedThroughput
		}
	}
	return nil
}

// adopt takes over checked settings: indexes that are gone are dropped, new
// ones filled. t.mu is held.
func (t *table) adopt(next tableSettings) {
	t.settings = next
	wanted := map[string]bool{}
	for _, x := range next.Indexes {
		wanted[x.Name] = true
	}
	t.indexes = slices.DeleteFunc(t.indexes, func(x *index) bool { return !wanted[x.name] })
	for _, x := range next.Indexes {
		if t.index(x.Name) == nil {
			t.addIndex(x)
		}
	}
}
