// Package deploy checks the files of docs/deploy as those who read them do, and more
// strictly: a key that nobody knows is an error.
package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
)

const docs = "../../docs"

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(docs, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// faxctl's own variables, and those of providers, databases and S3, as the page about
// them has them.
func variables(t *testing.T) []string {
	t.Helper()
	return regexp.MustCompile(`\b(?:(?:FAXCTL|SIGNALWIRE|TWILIO|XDG|AWS)_|PG)[A-Z_]+`).FindAllString(string(read(t, "environment.md")), -1)
}

// known checks the names of variables.
func known(t *testing.T, where string, names ...string) {
	t.Helper()
	all := variables(t)
	for _, name := range names {
		if name != "TZ" && !slices.Contains(all, name) && !slices.Contains(all, strings.TrimSuffix(name, "_FILE")) {
			t.Errorf("%s: faxctl reads no variable %s", where, name)
		}
	}
}

func TestCompose(t *testing.T) {
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  t.TempDir(),
		ConfigFiles: []types.ConfigFile{{Filename: "compose.yaml", Content: read(t, "deploy/compose.yaml")}},
		Environment: types.Mapping{"FAXCTL_IMAGE": "registry.example.com/faxctl:1.0.0"},
	}, func(o *loader.Options) { o.Profiles = []string{"*"} })
	if err != nil {
		t.Fatal(err)
	}
	if len(project.Services) != 2 {
		t.Fatalf("services: %v", project.ServiceNames())
	}
	for name, s := range project.Services {
		for variable := range s.Environment {
			known(t, name, variable)
		}
		if s.User != "" || !s.ReadOnly || len(s.CapDrop) == 0 || s.Privileged {
			t.Errorf("%s may do more than it has to", name)
		}
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to more than the proxy of this machine", name, p.Published)
			}
		}
	}
	serve := project.Services["serve"]
	if serve.HealthCheck == nil || serve.StopGracePeriod == nil {
		t.Error("serve has no health check, or no time to end")
	}
}

// objects are what a file for Kubernetes has.
func objects(t *testing.T, name string) (all []runtime.Object) {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, batchv1.AddToScheme, corev1.AddToScheme, policyv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	strict := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(read(t, name))))
	defer documents.Close()
	for {
		text := make([]byte, 1<<16)
		n, err := documents.Read(text)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := strict.Decode(text[:n], nil, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, text[:n])
		}
		all = append(all, object)
	}
}

func TestKubernetes(t *testing.T) {
	for _, tt := range []struct {
		name string
		pods int
		runs func(appsv1.DeploymentSpec) string // what is wrong with how it runs
	}{
		{"deploy/kubernetes.yaml", 2, func(d appsv1.DeploymentSpec) string {
			if *d.Replicas != 1 || d.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
				return "an archive in a folder has one receiver at a time"
			}
			return ""
		}},
		{"deploy/kubernetes-replicated.yaml", 1, func(d appsv1.DeploymentSpec) string {
			c, budget := d.Template.Spec.Containers[0], d.Template.Spec.TerminationGracePeriodSeconds
			if *d.Replicas < 2 || d.Strategy.RollingUpdate.MaxUnavailable.IntValue() != 0 {
				return "an update takes a receiver away before there is another"
			}
			if c.Lifecycle == nil || c.ReadinessProbe == nil || *budget < c.Lifecycle.PreStop.Sleep.Seconds+30 {
				return "it is not left alone, or has no time to end"
			}
			return ""
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var pods []corev1.PodSpec
			there, set := map[string]bool{}, map[string]string{}
			for _, object := range objects(t, tt.name) {
				switch o := object.(type) {
				case *appsv1.Deployment:
					if wrong := tt.runs(o.Spec); wrong != "" {
						t.Error(wrong)
					}
					pods = append(pods, o.Spec.Template.Spec)
				case *batchv1.CronJob:
					pods = append(pods, o.Spec.JobTemplate.Spec.Template.Spec)
				case *corev1.ConfigMap:
					for name, value := range o.Data {
						known(t, o.Name, name)
						set[name] = value
					}
					there["config "+o.Name] = true
				case *corev1.PersistentVolumeClaim:
					there["claim "+o.Name] = true
				case *policyv1.PodDisruptionBudget:
					if o.Spec.MinAvailable.IntValue() < 1 {
						t.Error("a drain of nodes may end all receivers")
					}
				case *corev1.Service:
				default:
					t.Errorf("%s is looked at by nobody", object.GetObjectKind().GroupVersionKind())
				}
			}
			if len(pods) != tt.pods {
				t.Fatalf("%d pods", len(pods))
			}
			for _, pod := range pods {
				checkPod(t, pod, there)
				if strings.HasPrefix(set["FAXCTL_ARCHIVE"], "s3://") && !mounted(pod, set["XDG_CACHE_HOME"]) {
					t.Error("what a machine knows of a bucket has no folder that can be written")
				}
			}
		})
	}
}

// mounted reports whether a folder is on a volume of a pod that can be written.
func mounted(pod corev1.PodSpec, folder string) bool {
	return slices.ContainsFunc(pod.Containers[0].VolumeMounts, func(m corev1.VolumeMount) bool {
		return !m.ReadOnly && strings.HasPrefix(folder, m.MountPath+"/")
	})
}

// checkPod: what is mounted is there, and nothing may do more than it has to.
func checkPod(t *testing.T, pod corev1.PodSpec, objects map[string]bool) {
	t.Helper()
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
		if claim := v.PersistentVolumeClaim; claim != nil && !objects["claim "+claim.ClaimName] {
			t.Errorf("there is no claim %s", claim.ClaimName)
		}
		if v.Secret != nil && *v.Secret.DefaultMode&0o007 != 0 {
			t.Errorf("the secret %s is for everybody", v.Name)
		}
	}
	for _, c := range pod.Containers {
		for _, m := range c.VolumeMounts {
			if !volumes[m.Name] {
				t.Errorf("%s: there is no volume %s", c.Name, m.Name)
			}
		}
		for _, from := range c.EnvFrom {
			if !objects["config "+from.ConfigMapRef.Name] {
				t.Errorf("%s: there is no configuration %s", c.Name, from.ConfigMapRef.Name)
			}
		}
		if s := c.SecurityContext; s == nil || *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !*pod.SecurityContext.RunAsNonRoot {
			t.Errorf("%s may do more than it has to", c.Name)
		}
	}
}

// metrics are the names that docs/receiving.md has, and those of every Go program.
func metrics(t *testing.T) []string {
	t.Helper()
	return append(regexp.MustCompile(`\bfaxctl_[a-z_]+`).FindAllString(string(read(t, "receiving.md")), -1), "process_resident_memory_bytes")
}

// checkQuery reads a query, and looks for its metrics.
func checkQuery(t *testing.T, where, query string) {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	all := metrics(t)
	asks := false
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if v, is := n.(*parser.VectorSelector); is {
			asks = true
			if !slices.Contains(all, strings.TrimSuffix(v.Name, "_bucket")) {
				t.Errorf("%s: faxctl has no metric %s", where, v.Name)
			}
		}
		return nil
	})
	if !asks {
		t.Errorf("%s asks for no metric: %s", where, query)
	}
}

func TestAlerts(t *testing.T) {
	groups, errs := rulefmt.Parse(read(t, "deploy/alerts.yaml"), false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	for _, err := range errs {
		t.Error(err)
	}
	if t.Failed() {
		t.FailNow()
	}
	n := 0
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			n++
			checkQuery(t, r.Alert, r.Expr)
			if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s does not say how bad it is, what it is, or what to do", r.Alert)
			}
		}
	}
	if n == 0 {
		t.Error("no rules")
	}
}

func TestDashboard(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	text := read(t, "deploy/dashboard.json")
	err := new(dashboard.Dashboard).UnmarshalJSONStrict(text)
	if wrong := (cog.BuildErrors)(nil); err != nil && (!errors.As(err, &wrong) || len(wrong) > 0) { // a list of none comes as an error too
		t.Fatal(err)
	}
	var board dashboard.Dashboard // the strict reading leaves the panels out
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	if err := board.Validate(); err != nil {
		t.Error(err)
	}
	ids := map[uint32]bool{}
	grafana := strings.NewReplacer("$__rate_interval", "5m", "$job", "faxctl")
	for _, either := range board.Panels {
		p := either.Panel
		if p == nil || p.Id == nil || ids[*p.Id] || len(p.Targets) == 0 {
			t.Fatalf("a panel without an id of its own, or that asks nothing: %+v", either)
		}
		ids[*p.Id] = true
		for _, target := range p.Targets {
			query, is := target.(*prometheus.Dataquery)
			if value, plain := target.(prometheus.Dataquery); plain {
				query, is = &value, true
			}
			if !is {
				t.Fatalf("%s: a query for %T", *p.Title, target)
			}
			checkQuery(t, *p.Title, grafana.Replace(query.Expr))
		}
	}
	if len(ids) == 0 {
		t.Error("no panels")
	}
}
