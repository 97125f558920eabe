package dynamodb

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// tableNamePattern holds for tables and indexes alike.
var tableNamePattern = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)

func checkTableName(member, name string) error {
	if len(name) < 3 || len(name) > 255 {
		return validation("%s must be at least 3 characters long and at most 255 characters long", member)
	}
	if !tableNamePattern.MatchString(name) {
		return constraint(name, strings.ToLower(member[:1])+member[1:], "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
	}
	return nil
}

// check refuses what no table can be, and what the local cloud has not.
func (in *createTableInput) check() error {
	if err := checkTableName("TableName", in.TableName); err != nil {
		return err
	}
	switch {
	case len(in.LocalSecondaryIndexes) > 0:
		return unsupported("local secondary indexes (LocalSecondaryIndexes)")
	case present(in.OnDemandThroughput) || present(in.WarmThroughput):
		return unsupported("OnDemandThroughput and WarmThroughput")
	case in.ResourcePolicy != "":
		return unsupported("resource policies (ResourcePolicy)")
	}
	if err := checkShared(in.BillingMode, in.TableClass, in.StreamSpecification, in.SSESpecification); err != nil {
		return err
	}
	if err := checkThroughput(in.BillingMode, "table", in.TableName, in.ProvisionedThroughput); err != nil {
		return err
	}
	settings := tableSettings{Keys: in.KeySchema, Attributes: in.AttributeDefinitions}
	for _, x := range in.GlobalSecondaryIndexes {
		if err := x.check(in.BillingMode); err != nil {
			return err
		}
		settings.Indexes = append(settings.Indexes, x.settings())
	}
	return checkSchemas(settings)
}

func (in *updateTableInput) check() error {
	switch {
	case len(in.ReplicaUpdates) > 0 || len(in.GlobalTableWitnessUpdates) > 0 || in.MultiRegionConsistency != "":
		return unsupported("global tables (ReplicaUpdates)")
	case present(in.OnDemandThroughput) || present(in.WarmThroughput):
		return unsupported("OnDemandThroughput and WarmThroughput")
	case in.BillingMode == "" && in.ProvisionedThroughput == nil && len(in.GlobalSecondaryIndexUpdates) == 0 && in.SSESpecification == nil &&
		in.StreamSpecification == nil && in.DeletionProtectionEnabled == nil && in.TableClass == "":
		return validation("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or " +
			"SSESpecification or ReplicaUpdates is required")
	}
	return checkShared(in.BillingMode, in.TableClass, in.StreamSpecification, in.SSESpecification)
}

func checkShared(billing, class string, stream *streamSpecification, sse *sseSpecification) error {
	if stream != nil && stream.StreamEnabled {
		return unsupported("DynamoDB Streams (StreamSpecification)")
	}
	if err := checkEnum(billing, "billingMode", "PROVISIONED", "PAY_PER_REQUEST"); err != nil {
		return err
	}
	if sse != nil {
		if err := checkEnum(sse.SSEType, "sSESpecification.sSEType", "KMS"); err != nil {
			return err
		}
		if !sse.Enabled && sse.KMSMasterKeyId != "" {
			return validation("One or more parameter values were invalid: KMSMasterKeyId can not be specified when SSE is disabled")
		}
	}
	return checkEnum(class, "tableClass", "STANDARD", "STANDARD_INFREQUENT_ACCESS")
}

// checkThroughput holds a billing mode to having throughput or not.
func checkThroughput(billing, what, name string, p *throughput) error {
	if billing == "PAY_PER_REQUEST" {
		if p != nil && (p.ReadCapacityUnits != 0 || p.WriteCapacityUnits != 0) {
			return validation("One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		}
		return nil
	}
	if p == nil {
		return validation("One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED (%s %s)", what, name)
	}
	if p.ReadCapacityUnits < 1 || p.WriteCapacityUnits < 1 {
		return constraint(min(p.ReadCapacityUnits, p.WriteCapacityUnits), "provisionedThroughput", "Member must have value greater than or equal to 1")
	}
	return nil
}

func (x globalIndex) settings() indexSettings {
	out := indexSettings{Name: x.IndexName, Keys: x.KeySchema, Projection: projectionSpec{Type: "ALL"}}
	if x.Projection != nil {
		out.Projection = *x.Projection
	}
	if x.ProvisionedThroughput != nil {
		out.Throughput = *x.ProvisionedThroughput
	}
	return out
}

func (x globalIndex) check(billing string) error {
	if err := checkTableName("IndexName", x.IndexName); err != nil {
		return err
	}
	if present(x.OnDemandThroughput) || present(x.WarmThroughput) {
		return unsupported("OnDemandThroughput and WarmThroughput")
	}
	if x.Projection == nil || x.Projection.Type == "" {
		return validation("One or more parameter values were invalid: Unknown ProjectionType: null")
	}
	if err := checkEnum(x.Projection.Type, "projection.projectionType", "ALL", "INCLUDE", "KEYS_ONLY"); err != nil {
		return err
	}
	if include := x.Projection.Type == "INCLUDE"; include != (len(x.Projection.Include) > 0) {
		return validation("One or more parameter values were invalid: ProjectionType is %s, but NonKeyAttributes is specified or missing (index %s)", x.Projection.Type, x.IndexName)
	}
	return checkThroughput(billing, "index", x.IndexName, x.ProvisionedThroughput)
}

// maxGlobalIndexes is AWS's default quota.
const maxGlobalIndexes = 20

// allKeys lists the key elements of the table and its indexes.
func (s tableSettings) allKeys() []keySchemaElement {
	all := slices.Clone(s.Keys)
	for _, x := range s.Indexes {
		all = append(all, x.Keys...)
	}
	return all
}

// checkSchemas holds key schemas and attribute definitions to each other: each
// key attribute is defined, and nothing else is.
func checkSchemas(settings tableSettings) error {
	if err := checkKeySchema("table", settings.Keys); err != nil {
		return err
	}
	names := map[string]bool{}
	for _, x := range settings.Indexes {
		if err := checkKeySchema("index "+x.Name, x.Keys); err != nil {
			return err
		}
		if names[x.Name] {
			return validation("One or more parameter values were invalid: Duplicate index name: %s", x.Name)
		}
		names[x.Name] = true
	}
	if len(settings.Indexes) > maxGlobalIndexes {
		return validation("One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of %d", maxGlobalIndexes)
	}
	return checkDefinitions(settings)
}

func checkKeySchema(what string, keys []keySchemaElement) error {
	if len(keys) < 1 || len(keys) > 2 {
		return constraint(len(keys), "keySchema", "Member must have length between 1 and 2 (%s)", what)
	}
	for i, k := range keys {
		if want := [...]string{"HASH", "RANGE"}[i]; k.KeyType != want {
			return validation("Invalid KeySchema: element %d of the %s must have the key type %s", i+1, what, want)
		}
		if k.AttributeName == "" || len(k.AttributeName) > 255 {
			return constraint(k.AttributeName, "keySchema.member.attributeName", "Member must have length between 1 and 255")
		}
	}
	if len(keys) == 2 && keys[0].AttributeName == keys[1].AttributeName {
		return validation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	}
	return nil
}

func checkDefinitions(settings tableSettings) error {
	defined := make([]string, 0, len(settings.Attributes))
	for _, d := range settings.Attributes {
		if !kindNamed(d.AttributeType).isScalar() {
			return enumConstraint(d.AttributeType, "attributeDefinitions.member.attributeType", []string{"B", "N", "S"})
		}
		if slices.Contains(defined, d.AttributeName) {
			return validation("One or more parameter values were invalid: Duplicate AttributeName in AttributeDefinitions: %s", d.AttributeName)
		}
		defined = append(defined, d.AttributeName)
	}
	used := map[string]bool{}
	for _, k := range settings.allKeys() {
		if !slices.Contains(defined, k.AttributeName) {
			return validation("One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. "+
				"Keys: [%s], AttributeDefinitions: %s", k.AttributeName, fmt.Sprint(defined))
		}
		used[k.AttributeName] = true
	}
	if len(used) != len(defined) {
		return validation("One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	return nil
}
