import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A story is a list of steps that Apache Kafka's own clients take on a broker. Each step prints one line of JSON: what came of it, or the
 * class of the error. What a line says must be the same on every right broker: no ids, ports or times of the day.
 *
 * <p>{@code java Story BOOTSTRAP NAME=VALUE… STORY…} tells stories one after the other; NAME=VALUE are further settings of all clients.
 */
public abstract class Story {
  private static final ObjectMapper json = new ObjectMapper().configure(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true);

  /** Settings that all clients share: bootstrap.servers first. */
  private Map<String, Object> shared = Map.of();

  public static void main(String[] args) throws Exception {
    Map<String, Object> shared = new LinkedHashMap<>();
    shared.put("bootstrap.servers", args[0]);
    for (int i = 1; i < args.length; i++) {
      int equals = args[i].indexOf('=');
      if (equals > 0) {
        shared.put(args[i].substring(0, equals), args[i].substring(equals + 1));
        continue;
      }
      Story story = (Story) Class.forName(args[i]).getDeclaredConstructor().newInstance();
      story.shared = shared;
      try {
        story.tell();
      } catch (Throwable error) {
        story.print("the story ends", error);
      }
    }
    System.out.flush();
    Runtime.getRuntime().halt(0); // Clients that a failed step left behind must not hold us up.
  }

  /** How long a step may take. */
  int stepTimeoutSeconds() {
    return 60;
  }

  abstract void tell() throws Exception;

  /** Takes one step, and goes on whatever becomes of it. */
  void step(String name, Callable<Object> what) {
    ExecutorService thread = Executors.newSingleThreadExecutor(runnable -> {
      Thread daemon = new Thread(runnable, "step");
      daemon.setDaemon(true);
      return daemon;
    });
    long start = System.nanoTime();
    try {
      line(name, "result", thread.submit(what).get(stepTimeoutSeconds(), TimeUnit.SECONDS), start);
    } catch (TimeoutException error) {
      line(name, "error", "took longer than " + stepTimeoutSeconds() + " s", start);
    } catch (Throwable error) {
      print(name, error);
    } finally {
      thread.shutdownNow();
    }
  }

  /** What a call throws, by its class; "nothing" where it goes well. */
  static String thrown(Callable<?> call) {
    try {
      call.call();
      return "nothing";
    } catch (Throwable error) {
      return cause(error).getClass().getSimpleName();
    }
  }

  /** Settings of one client: those shared by all, and these, names and values in turn. */
  Map<String, Object> with(Object... namesAndValues) {
    Map<String, Object> settings = new LinkedHashMap<>(shared);
    for (int i = 0; i < namesAndValues.length; i += 2) settings.put((String) namesAndValues[i], namesAndValues[i + 1]);
    return settings;
  }

  /** A map as a line shows it, names and values in turn. */
  static Map<String, Object> map(Object... namesAndValues) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) map.put(String.valueOf(namesAndValues[i]), namesAndValues[i + 1]);
    return map;
  }

  static Throwable cause(Throwable error) {
    while ((error instanceof ExecutionException || error instanceof CompletionException) && error.getCause() != null) error = error.getCause();
    return error;
  }

  private void print(String step, Throwable error) {
    Throwable cause = cause(error);
    Map<String, Object> line = map("story", getClass().getSimpleName(), "step", step, "error", cause.getClass().getSimpleName(), "message", String.valueOf(cause.getMessage()));
    if (!cause.getClass().getName().startsWith("org.apache.kafka.")) line.put("trace", String.valueOf(cause.getStackTrace().length == 0 ? "" : cause.getStackTrace()[0]));
    print(line);
  }

  private void line(String step, String name, Object value, long start) {
    print(map("story", getClass().getSimpleName(), "step", step, name, value, "ms", (System.nanoTime() - start) / 1_000_000));
  }

  private static void print(Object line) {
    try {
      System.out.println(json.writeValueAsString(line));
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
  }
}
