import java.nio.file.Path;
import java.util.Map;

import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.core.PathUtils;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/** Starts one Elasticsearch node from the jars on the class path: `java Launcher HOME`, settings in HOME/config/elasticsearch.yml. */
public final class Launcher {
    public static void main(String[] arguments) throws Exception {
        Path home = PathUtils.get(arguments[0]);
        Path config = home.resolve("config");
        Settings settings = Settings.builder().put("path.home", home.toString()).build();
        String fallbackName = "node-" + ProcessHandle.current().pid();
        LogConfigurator.setNodeName(fallbackName);
        Environment environment = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), config, () -> fallbackName);
        LogConfigurator.configureESLogging();
        // `false`: on a class path there are no module layers for the plugins to be put into.
        PluginsLoader plugins = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(environment.modulesDir()),
            PluginsLoader.loadPluginsBundles(environment.pluginsDir()),
            Map.of(),
            false
        );
        Node node = new Node(environment, plugins);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (java.io.IOException error) {
                System.err.println("node did not close cleanly: " + error.getMessage());
            }
        }));
        node.start();
        // The one who started us holds the other end of standard input: when it dies, however it dies, so do we.
        while (System.in.read() >= 0) {
        }
        System.exit(0);
    }
}
