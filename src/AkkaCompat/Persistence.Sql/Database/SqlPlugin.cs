using Akka.Actor;
using Akka.Configuration;

namespace Akka.Persistence.Sql.Database;

/// <summary>What the journal and the snapshot store have in common: the database, its tables, and serialization.</summary>
internal sealed class SqlPlugin : IDisposable
{
    private readonly ExtendedActorSystem _system;
    private readonly IReadOnlyList<string> _createTables;
    private readonly string? _serializerName;
    private readonly Lock _initializing = new();
    private Task _initialized = Task.CompletedTask;

    public SqlPlugin(ActorSystem system, Config config, Func<SqlDialect, IReadOnlyList<string>> tables)
    {
        _system = (ExtendedActorSystem)system;
        _serializerName = config.GetString("serializer", null);
        if (string.IsNullOrEmpty(_serializerName)) _serializerName = null;
        var dialect = SqlDialect.From(config);
        _createTables = config.GetBoolean("auto-initialize", true) ? tables(dialect) : [];
        // Last of what may fail: an actor whose constructor throws has no PostStop that gives it back.
        Database = SqlDatabase.Acquire(dialect);
        if (_createTables.Count > 0) _initialized = InitializeAsync();
    }

    public SqlDatabase Database { get; }

    /// <summary>Complete when the tables exist. After a failure each further call tries again.</summary>
    public Task InitializedAsync()
    {
        if (_initialized.IsCompletedSuccessfully) return Task.CompletedTask;
        lock (_initializing)
        {
            if (_initialized.IsFaulted) _initialized = InitializeAsync();
            return _initialized;
        }
    }

    public (byte[] Bytes, string Manifest, int SerializerId) Serialize(object payload)
    {
        var serializer = _system.Serialization.FindSerializerForType(payload.GetType(), _serializerName);
        var bytes = Akka.Serialization.Serialization.WithTransport(_system, (serializer, payload), static s => s.serializer.ToBinary(s.payload));
        return (bytes, Akka.Serialization.Serialization.ManifestFor(serializer, payload), serializer.Identifier);
    }

    /// <summary>The object; a row of an early version has no serializer id but its type's name as the manifest.</summary>
    public object Deserialize(byte[] bytes, string manifest, int? serializerId)
    {
        if (serializerId is { } id) return _system.Serialization.Deserialize(bytes, id, manifest);
        var type = Type.GetType(manifest, throwOnError: true)!;
        return _system.Serialization.FindSerializerForType(type, _serializerName).FromBinary(bytes, type);
    }

    public void Dispose() => Database.Dispose();

    private Task InitializeAsync() => Database.WriteAsync(_createTables.Count, session =>
    {
        foreach (var statement in _createTables) session.ExecuteOnce(statement);
    });
}
