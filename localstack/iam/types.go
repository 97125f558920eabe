package iam

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"fanfare/localstack/awsproto"
)

// The shapes of https://docs.aws.amazon.com/IAM/latest/APIReference/API_Types.html.
// Field names are the names on the wire, unless a tag says otherwise.

type tag struct{ Key, Value string }

type roleXML struct {
	Path                     string
	RoleName                 string
	RoleID                   string `xml:"RoleId"`
	Arn                      string
	CreateDate               time.Time
	AssumeRolePolicyDocument string
	Description              string `xml:",omitempty"`
	MaxSessionDuration       int
	PermissionsBoundary      *boundaryXML          `xml:",omitempty"`
	Tags                     awsproto.Members[tag] `xml:",omitempty"`
	RoleLastUsed             *struct{}             `xml:",omitempty"`
}

type boundaryXML struct {
	PermissionsBoundaryType string
	PermissionsBoundaryArn  string
}

// wireRole is the role as GetRole shows it.
func wireRole(r *role) roleXML {
	x := listedRole(r)
	x.Tags = append(x.Tags, r.Tags...)
	x.RoleLastUsed = &struct{}{}
	if r.Boundary != "" {
		x.PermissionsBoundary = &boundaryXML{"Policy", r.Boundary}
	}
	return x
}

// listedRole is the role as ListRoles shows it: without tags, permissions
// boundary and last use.
func listedRole(r *role) roleXML {
	return roleXML{
		Path: r.Path, RoleName: r.Name, RoleID: r.ID, Arn: r.ARN,
		CreateDate: r.Created, AssumeRolePolicyDocument: encodeDocument(r.Trust),
		Description: r.Description, MaxSessionDuration: r.MaxSession,
	}
}

// encodeDocument percent-encodes as RFC 3986 has it, which is how IAM returns
// every policy document.
func encodeDocument(d document) string {
	return strings.ReplaceAll(url.QueryEscape(d.text), "+", "%20")
}

type policyXML struct {
	PolicyName                    string
	PolicyID                      string `xml:"PolicyId"`
	Arn                           string
	Path                          string
	DefaultVersionID              string `xml:"DefaultVersionId"`
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   string `xml:",omitempty"`
	CreateDate                    time.Time
	UpdateDate                    time.Time
	Tags                          awsproto.Members[tag] `xml:",omitempty"`
}

func wirePolicy(st state, p *policy) policyXML {
	x := listedPolicy(st, p)
	x.Description = p.Description
	x.Tags = append(x.Tags, p.Tags...)
	return x
}

// listedPolicy is the policy as ListPolicies shows it: without description and
// tags.
func listedPolicy(st state, p *policy) policyXML {
	return policyXML{
		PolicyName: p.Name, PolicyID: p.ID, Arn: p.ARN, Path: p.Path,
		DefaultVersionID: versionID(p.Default), IsAttachable: true,
		AttachmentCount:               len(st.attachedTo(p.ARN)),
		PermissionsBoundaryUsageCount: len(st.boundedBy(p.ARN)),
		CreateDate:                    p.Created, UpdateDate: p.Updated,
	}
}

type versionXML struct {
	Document         string `xml:",omitempty"`
	VersionID        string `xml:"VersionId"`
	IsDefaultVersion bool
	CreateDate       time.Time
}

func wireVersion(p *policy, v *policyVersion) versionXML {
	return versionXML{
		VersionID:        versionID(v.Number),
		IsDefaultVersion: v.Number == p.Default,
		CreateDate:       v.Created,
	}
}

func versionID(number int) string { return fmt.Sprintf("v%d", number) }

type attachedXML struct {
	PolicyName string
	PolicyArn  string
}

type userXML struct {
	Path       string
	UserName   string
	UserID     string `xml:"UserId"`
	Arn        string
	CreateDate time.Time
}

type roleNameInput struct{ RoleName string }

type policyARNInput struct{ PolicyArn string }

type pathPrefixInput struct {
	PathPrefix string // "/" and "" mean all
	pageInput
}
