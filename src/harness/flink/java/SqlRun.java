import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.TableEnvironment;

/**
 * Runs a file of SQL: each statement ends with a semicolon at the end of a line; SET 'key' = 'value' holds for all of them, and
 * all INSERTs together are one job.
 */
public final class SqlRun {
    private static final Pattern SET = Pattern.compile("SET '([^']+)' = '([^']*)'");

    public static void main(String[] args) throws Exception {
        String text = new String(Files.readAllBytes(Paths.get(args[0])), "UTF-8");
        String[] statements = text.split(";[ \t\r]*(\n|$)");
        Map<String, String> settings = new LinkedHashMap<>();
        for (String statement : statements) {
            Matcher set = SET.matcher(statement.trim());
            if (set.matches()) {
                settings.put(set.group(1), set.group(2));
            }
        }
        boolean batch = "batch".equalsIgnoreCase(settings.get("execution.runtime-mode"));
        EnvironmentSettings.Builder mode = EnvironmentSettings.newInstance();
        TableEnvironment tables = TableEnvironment.create((batch ? mode.inBatchMode() : mode.inStreamingMode()).build());
        for (Map.Entry<String, String> setting : settings.entrySet()) {
            tables.getConfig().getConfiguration().setString(setting.getKey(), setting.getValue());
        }
        StatementSet inserts = tables.createStatementSet();
        for (String statement : statements) {
            if (SET.matcher(statement.trim()).matches()) {
                continue;
            }
            if (statement.trim().startsWith("INSERT")) {
                inserts.addInsertSql(statement);
            } else if (!statement.trim().isEmpty()) {
                tables.executeSql(statement);
            }
        }
        inserts.execute();
    }
}
