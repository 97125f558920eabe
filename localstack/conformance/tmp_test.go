package conformance

var signatureClaims, authorizerClaims, accessLogClaims, accountLimitClaims, lambdaClaims, freezeClaims, sqsClaims, eventSourceClaims, controlClaims, refusalClaims, localClaims []claim
