package conformance

var signatureClaims, authorizerClaims, accessLogClaims, accountLimitClaims, freezeClaims, localClaims []claim
