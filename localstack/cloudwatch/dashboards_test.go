package cloudwatch_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestADashboardComesBackAsItWasPut(t *testing.T) {
	a, _, _ := newAPI(t)
	body := `{"widgets":[{"type":"metric","x":0,"y":0,"width":12,"height":6,"properties":{"region":"eu-west-1","metrics":[["AWS/Lambda","Errors"]]}}]}`
	wantResult(t, a.must("PutDashboard", "DashboardName=main DashboardBody="+body), `
<PutDashboardResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><PutDashboardResult>
	<DashboardValidationMessages></DashboardValidationMessages>
</PutDashboardResult></PutDashboardResponse>`)
	wantResult(t, a.must("GetDashboard", "DashboardName=main"), `
<GetDashboardResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><GetDashboardResult>
	<DashboardArn>arn:aws:cloudwatch::000000000000:dashboard/main</DashboardArn>
	<DashboardBody>`+strings.ReplaceAll(body, `"`, "&#34;")+`</DashboardBody>
	<DashboardName>main</DashboardName>
</GetDashboardResult></GetDashboardResponse>`)
	wantResult(t, a.must("ListDashboards", "DashboardNamePrefix=ma"), fmt.Sprintf(`
<ListDashboardsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><ListDashboardsResult>
	<DashboardEntries><member>
		<DashboardName>main</DashboardName>
		<DashboardArn>arn:aws:cloudwatch::000000000000:dashboard/main</DashboardArn>
		<Size>%d</Size>
	</member></DashboardEntries>
</ListDashboardsResult></ListDashboardsResponse>`, len(body)))

	a.wantError("DeleteDashboards", "DashboardNames.member.1=main DashboardNames.member.2=none", 404, "ResourceNotFound")
	a.must("DeleteDashboards", "DashboardNames.member.1=main")
	a.wantError("GetDashboard", "DashboardName=main", 404, "ResourceNotFound")
}

func TestPutDashboardRefuses(t *testing.T) {
	tests := map[string]string{
		"a name with a slash":                   `DashboardName=a/b DashboardBody={}`,
		"a body that is no JSON":                `DashboardName=a DashboardBody={`,
		"a body that is no object":              `DashboardName=a DashboardBody=[]`,
		"a null body":                           `DashboardName=a DashboardBody=null`,
		"an unknown widget":                     `DashboardName=a DashboardBody={"widgets":[{"type":"map","properties":{}}]}`,
		"a widget without properties":           `DashboardName=a DashboardBody={"widgets":[{"type":"text"}]}`,
		"a metric without region":               `DashboardName=a DashboardBody={"widgets":[{"type":"metric","properties":{}}]}`,
		"a widget that is wider than the board": `DashboardName=a DashboardBody={"widgets":[{"type":"text","width":25,"properties":{}}]}`,
	}
	for name, params := range tests {
		t.Run(name, func(t *testing.T) {
			a, _, _ := newAPI(t)
			a.wantError("PutDashboard", params, 400, "InvalidParameterInput")
		})
	}
}
