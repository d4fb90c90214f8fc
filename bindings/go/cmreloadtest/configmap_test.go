package cmreloadtest_test

import (
	"testing"

	"cmreload"
	"cmreload/cmreloadtest"
)

func TestAConfigMapChangesAsInACluster(t *testing.T) {
	configMap := cmreloadtest.NewConfigMap(t, map[string]string{"LOG_LEVEL": "info", "PORT": "80"})
	config, err := cmreload.Open(configMap.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer config.Close()
	version, err := configMap.UpdateAndWait(config, map[string]string{"LOG_LEVEL": "debug"})
	if err != nil {
		t.Fatal(err)
	}
	if level, _ := version.String("LOG_LEVEL"); level != "debug" || version != config.Current() ||
		version.Len() != 2 {
		t.Errorf("%v with level %s is there after an update", version, level)
	}
	configMap.Delete("PORT", "absent")
	if version, err = configMap.UpdateAndWait(config, nil); err != nil || version.Len() != 1 {
		t.Errorf("%v is there after a removal, %v", version, err)
	}
	if _, err = configMap.UpdateAndWait(config, map[string]string{"a.json": "{"}); err == nil {
		t.Error("bad content was taken")
	}
}
