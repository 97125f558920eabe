package conformance

var signatureClaims, authorizerClaims, accessLogClaims, accountLimitClaims, freezeClaims, controlClaims, refusalClaims, localClaims []claim
