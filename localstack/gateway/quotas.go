package gateway

import (
	"net/http"

	"fanfare/localstack/awsproto"
)

// Quotas of resources ("Quotas for configuring and running a WebSocket API").
const (
	maxAPIs         = 600 // in the region
	maxRoutes       = 300 // and the others, of one API
	maxIntegrations = 300
	maxStages       = 10
)

// belowQuota refuses one resource more than the account may have, with the code
// and words seen of AWS for authorizers.
func belowQuota(have, quota int, kind, where string) error {
	if have < quota {
		return nil
	}
	return awsproto.Errorf(http.StatusTooManyRequests, "ConflictException",
		"Maximum number of %s for this %s has been reached. Please contact AWS if you need additional %s.", kind, where, kind)
}
