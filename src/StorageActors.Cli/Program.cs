using StorageActors.Cli;

// Results are written by the verbs themselves; whatever a library prints belongs to stderr.
Console.SetOut(Console.Error);
return await CommandLine.RunAsync(args);
