package gateway

import (
	"maps"
	"slices"
	"time"
)

// The resources of the control plane, in the shapes of the API's JSON. Fields
// without omitempty are always present in AWS's answers too. They are also the
// shapes of the requests: a member that is not here is refused (see decode).

type api struct {
	ID                        string            `json:"apiId"`
	Name                      string            `json:"name"`
	Endpoint                  string            `json:"apiEndpoint"`
	ProtocolType              string            `json:"protocolType"`
	RouteSelectionExpression  string            `json:"routeSelectionExpression"`
	APIKeySelectionExpression string            `json:"apiKeySelectionExpression"`
	Description               string            `json:"description,omitempty"`
	Version                   string            `json:"version,omitempty"`
	DisableExecuteAPIEndpoint bool              `json:"disableExecuteApiEndpoint"`
	IPAddressType             string            `json:"ipAddressType,omitempty"`
	CreatedDate               time.Time         `json:"createdDate"`
	Tags                      map[string]string `json:"tags"`
}

type integration struct {
	ID                      string `json:"integrationId"`
	Type                    string `json:"integrationType"`
	URI                     string `json:"integrationUri"`
	Method                  string `json:"integrationMethod,omitempty"`
	ConnectionType          string `json:"connectionType"`
	ContentHandlingStrategy string `json:"contentHandlingStrategy,omitempty"`
	Description             string `json:"description,omitempty"`
	PassthroughBehavior     string `json:"passthroughBehavior"`
	PayloadFormatVersion    string `json:"payloadFormatVersion"`
	TimeoutInMillis         int    `json:"timeoutInMillis"`
}

type route struct {
	ID                               string `json:"routeId"`
	Key                              string `json:"routeKey"`
	Target                           string `json:"target,omitempty"` // integrations/<id>
	AuthorizationType                string `json:"authorizationType"`
	AuthorizerID                     string `json:"authorizerId,omitempty"`
	APIKeyRequired                   bool   `json:"apiKeyRequired"`
	OperationName                    string `json:"operationName,omitempty"`
	RouteResponseSelectionExpression string `json:"routeResponseSelectionExpression,omitempty"`
}

type routeResponse struct {
	ID  string `json:"routeResponseId"`
	Key string `json:"routeResponseKey"`
}

type deployment struct {
	ID           string    `json:"deploymentId"`
	Status       string    `json:"deploymentStatus"`
	Description  string    `json:"description,omitempty"`
	AutoDeployed bool      `json:"autoDeployed"`
	CreatedDate  time.Time `json:"createdDate"`
}

type routeSettings struct {
	LoggingLevel           string   `json:"loggingLevel,omitempty"`
	DataTraceEnabled       bool     `json:"dataTraceEnabled"`
	DetailedMetricsEnabled bool     `json:"detailedMetricsEnabled"`
	ThrottlingBurstLimit   *int     `json:"throttlingBurstLimit,omitempty"`
	ThrottlingRateLimit    *float64 `json:"throttlingRateLimit,omitempty"`
}

type stage struct {
	Name                 string                   `json:"stageName"`
	DeploymentID         string                   `json:"deploymentId,omitempty"`
	AutoDeploy           bool                     `json:"autoDeploy"`
	Description          string                   `json:"description,omitempty"`
	DefaultRouteSettings *routeSettings           `json:"defaultRouteSettings,omitempty"`
	RouteSettings        map[string]routeSettings `json:"routeSettings"`
	StageVariables       map[string]string        `json:"stageVariables,omitempty"`
	AccessLogSettings    accessLogSettings        `json:"accessLogSettings,omitzero"`
	CreatedDate          time.Time                `json:"createdDate"`
	LastUpdatedDate      time.Time                `json:"lastUpdatedDate"`
	Tags                 map[string]string        `json:"tags"`
}

type account struct {
	CloudwatchRoleARN string           `json:"cloudwatchRoleArn,omitempty"`
	ThrottleSettings  throttleSettings `json:"throttleSettings"`
	Features          []string         `json:"features,omitempty"`
	APIKeyVersion     string           `json:"apiKeyVersion,omitempty"`
}

type throttleSettings struct {
	BurstLimit int     `json:"burstLimit"`
	RateLimit  float64 `json:"rateLimit"`
}

// items is a page of a list. Lists here are short: there is never a second.
type items[T any] struct {
	Items []T `json:"items"`
}

// itemsOf lists by id, for AWS's order is not documented.
func itemsOf[T any](m map[string]*T) items[*T] {
	list := items[*T]{Items: []*T{}}
	for _, id := range slices.Sorted(maps.Keys(m)) {
		list.Items = append(list.Items, m[id])
	}
	return list
}
