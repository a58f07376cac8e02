using System.Diagnostics;
using StorageActors.TestSupport;

namespace StorageActors.EngineTests.AkkaCompat.Sql;

/// <summary>
/// A PostgreSQL server of the tests' own: a new cluster in a temporary directory, reached over a unix socket there and over no port, stopped and deleted
/// with the fixture. It does not run as root, so a root that runs the tests lends it the user "nobody".
/// </summary>
public sealed class PostgreSqlServer : IDisposable
{
    private readonly Lazy<string> _connection;
    private TempDirectory? _directory;
    private string _programs = "";

    public PostgreSqlServer() => _connection = new Lazy<string>(Start);

    /// <summary>How to reach the server, which is started by the first who asks; the test is skipped on a machine without one.</summary>
    public string Connection => _connection.Value;

    public void Dispose()
    {
        if (_directory is null) return;
        Run("pg_ctl", "stop", "--wait", "--mode=immediate", "-D", _directory["data"]);
        _directory.Dispose();
    }

    private string Start()
    {
        RequiredTiers.SkipUnlessRoot();
        var programs = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").Select(static version => Path.Combine(version, "bin")).LastOrDefault(static bin => File.Exists(bin + "/initdb"))
            : null;
        RequiredTiers.SkipUnless(programs is not null, "postgres", "needs a PostgreSQL server's programs, of the package postgresql");
        _programs = programs!;
        _directory = new TempDirectory();
        Command.Run("chmod", "755", _directory.Path);
        foreach (var name in new[] { "data", "socket" }) Command.Run("install", "-d", "-m", "700", "-o", "nobody", _directory[name]);
        Run("initdb", "--no-sync", "--auth=trust", "--username=tests", "--encoding=UTF8", "--no-locale", "-D", _directory["data"]);
        Run("pg_ctl", "start", "--wait", "--timeout=60", "-D", _directory["data"], "-l", _directory["data"] + "/log",
            "-o", $"-c listen_addresses='' -c unix_socket_directories='{_directory["socket"]}' -c fsync=off -c max_connections=200");
        return $"Host={_directory["socket"]};Username=tests;Database=postgres";
    }

    /// <summary>The server keeps what it inherits: its streams are no pipes, or reading them would wait for its end.</summary>
    private void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("setpriv", ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "sh", "-c", "exec \"$0\" \"$@\" </dev/null >>\"$OUT\" 2>&1",
            Path.Combine(_programs, program), .. arguments])
        {
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        start.Environment["OUT"] = _directory!["socket"] + "/out";
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start)!;
        if (!process.WaitForExit(TimeSpan.FromMinutes(2)) || process.ExitCode != 0)
            throw new InvalidOperationException($"{program}: {File.ReadAllText(_directory["socket"] + "/out")}");
    }
}
