import java.nio.file.Files;
import java.nio.file.Paths;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.TableEnvironment;

/** Runs a file of SQL: each statement ends with a semicolon at the end of a line; all INSERTs together are one job. */
public final class SqlRun {
    public static void main(String[] args) throws Exception {
        TableEnvironment tables = TableEnvironment.create(EnvironmentSettings.newInstance().inStreamingMode().build());
        StatementSet inserts = tables.createStatementSet();
        String text = new String(Files.readAllBytes(Paths.get(args[0])), "UTF-8");
        for (String statement : text.split(";[ \t\r]*(\n|$)")) {
            if (statement.trim().startsWith("INSERT")) {
                inserts.addInsertSql(statement);
            } else if (!statement.trim().isEmpty()) {
                tables.executeSql(statement);
            }
        }
        inserts.execute();
    }
}
