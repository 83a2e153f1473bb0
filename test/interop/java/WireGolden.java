// Writes messages with Apache Kafka's own classes: lines of `Name TAB version TAB JSON` in, the body's bytes as hexadecimal out.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;

public class WireGolden {
    private static final String[] PACKAGES = {
        "org.apache.kafka.common.message", "org.apache.kafka.coordinator.group.generated", "org.apache.kafka.coordinator.transaction.generated",
    };

    public static void main(String[] args) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        StringBuilder out = new StringBuilder();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] parts = line.split("\t", 3);
            short version = Short.parseShort(parts[1]);
            Message message = (Message) converter(parts[0]).getMethod("read", JsonNode.class, short.class).invoke(null, mapper.readTree(parts[2]), version);
            ByteBuffer bytes = MessageUtil.toByteBufferAccessor(message, version).buffer();
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            out.append(HexFormat.of().formatHex(copy)).append('\n');
        }
        System.out.print(out);
    }

    private static Class<?> converter(String name) throws ClassNotFoundException {
        for (String folder : PACKAGES) {
            for (String kind : new String[] {"DataJsonConverter", "JsonConverter"}) {
                try {
                    return Class.forName(folder + "." + name + kind);
                } catch (ClassNotFoundException e) {
                    continue;
                }
            }
        }
        throw new ClassNotFoundException(name);
    }
}
